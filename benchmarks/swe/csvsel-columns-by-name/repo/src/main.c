/* csvsel: prints chosen columns of CSV files. See README.md. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "columns.h"
#include "csv.h"

static int usage(void)
{
    fputs("usage: csvsel -c COLUMNS [-d DELIMITER] [FILE]\n", stderr);
    return 2;
}

static void print_record(const struct record *record, const struct columns *columns, char delimiter)
{
    for (size_t i = 0; i < columns->count; i++) {
        size_t length;
        const char *text = csv_field(record, columns->indices[i], &length);
        if (i > 0)
            putchar(delimiter);
        csv_print(stdout, delimiter, text, length);
    }
    putchar('\n');
}

int main(int argc, char **argv)
{
    struct columns columns = { 0 };
    struct record record = { 0 };
    char delimiter = ',';
    int option, status;

    while ((option = getopt(argc, argv, "c:d:")) != -1) {
        switch (option) {
        case 'c':
            if (columns.count > 0 || columns_parse(&columns, optarg) != 0)
                return usage();
            break;
        case 'd':
            if (strlen(optarg) != 1 || strchr("\"\r\n", optarg[0]) != NULL)
                return usage();
            delimiter = optarg[0];
            break;
        default:
            return usage();
        }
    }
    if (columns.count == 0 || argc - optind > 1)
        return usage();

    FILE *in = optind < argc ? fopen(argv[optind], "rb") : stdin;
    if (in == NULL) {
        fprintf(stderr, "csvsel: %s: %s\n", argv[optind], strerror(errno));
        return 1;
    }
    while ((status = csv_read(in, delimiter, &record)) == 1)
        print_record(&record, &columns, delimiter);
    if (status < 0)
        fprintf(stderr, "csvsel: %s\n", strerror(errno));
    csv_free(&record);
    free(columns.indices);
    return status < 0;
}
