#ifndef WEIR_SUMMARY_H
#define WEIR_SUMMARY_H

#include "weir/limits.h"

/* What is known of the measurements so far, in seconds. Starts as all zeros. */
struct summary {
    unsigned long count;
    double sum, min, max;
};

/* Takes one more measurement into account. */
void summary_add(struct summary *summary, double seconds);

#endif
