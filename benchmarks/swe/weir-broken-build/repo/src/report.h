#ifndef REPORT_H
#define REPORT_H

#include "weir/summary.h"
#include "weir/units.h"

/* Prints the summary in that unit to standard output. */
void report(const struct summary *summary, const struct unit *unit);

#endif
