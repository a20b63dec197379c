#include "weir/units.h"

#include <stdlib.h>
#include <string.h>

static const struct unit units[] = {
#include "units_table.h"
};

const struct unit *unit_find(const char *name)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(units[i].name, name) == 0)
            return &units[i];
    return NULL;
}

double measure_parse(const char *word)
{
    char *end;
    double number = strtod(word, &end);
    const struct unit *unit = unit_find(end);

    if (end == word || unit == NULL || !(number >= 0))
        return -1;
    return number * unit->seconds;
}
