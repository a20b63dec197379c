#include "weir/summary.h"

void summary_add(struct summary *summary, double seconds)
{
    if (summary->count == 0 || seconds < summary->min)
        summary->min = seconds;
    if (summary->count == 0 || seconds > summary->max)
        summary->max = seconds;
    summary->sum += seconds;
    summary->count++;
}

double summary_mean(const struct summary *summary)
{
    return summary->count == 0 ? 0 : summary->sum / (double)summary->count;
}
