/* Makes the table of units: reads lines "unit seconds", writes a C initialiser. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    char line[256], name[32], factor[64];
    int number = 0, units = 0;

    puts("/* Made by mkunits from units.txt. */");
    while (fgets(line, sizeof line, stdin)) {
        number++;
        const char *begin = line + strspn(line, " \t\r\n");
        if (*begin == '\0' || *begin == '#')
            continue;
        if (sscanf(begin, "%31s %63s", name, factor) != 2 || !isalpha((unsigned char)name[0]) || atof(factor) <= 0) {
            fprintf(stderr, "mkunits: line %d: expected a unit and a number\n", number);
            return 1;
        }
        printf("{ \"%s\", %s },\n", name, factor);
        units++;
    }
    return units == 0;
}
