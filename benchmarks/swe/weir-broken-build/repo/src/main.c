#include "report.h"

#include <stdio.h>
#include <string.h>

/* The two steps of making WEIR_WORD_MAX a part of a scanf format. */
#define TEXT(x) #x
#define WIDTH(x) TEXT(x)

int main(int argc, char **argv)
{
    struct summary summary = { 0 };
    const struct unit *unit = unit_find("s");
    char word[WEIR_WORD_MAX + 1];

    if (argc == 3 && strcmp(argv[1], "-u") == 0)
        unit = unit_find(argv[2]);
    else if (argc != 1)
        unit = NULL;
    if (unit == NULL) {
        fputs("usage: weir [-u UNIT]\n", stderr);
        return 2;
    }
    while (scanf("%" WIDTH(WEIR_WORD_MAX) "s", word) == 1) {
        double seconds = measure_parse(word);
        if (seconds < 0) {
            fprintf(stderr, "weir: not a measurement: %s\n", word);
            return 1;
        }
        summary_add(&summary, seconds);
    }
    report(&summary, unit);
    return 0;
}
