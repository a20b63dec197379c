#include "report.h"

#include <stdio.h>

static void line(const char *label, double seconds, const struct unit *unit)
{
    printf("%s %.*f %s\n", label, WEIR_DIGITS, seconds / unit->seconds, unit->name);
}

void report(const struct summary *summary, const struct unit *unit)
{
    printf("count %lu\n", summary->count);
    if (summary->count == 0)
        return;
    line("min", summary->min, unit);
    line("mean", summary_mean(summary), unit);
    line("max", summary->max, unit);
}
