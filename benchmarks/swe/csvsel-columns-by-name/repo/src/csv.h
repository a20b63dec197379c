#ifndef CSV_H
#define CSV_H

#include <stddef.h>
#include <stdio.h>

/* A record: fields of bytes, which may hold anything but are not terminated. */
struct record {
    char *bytes;
    size_t used, room;
    size_t *ends; /* of each field, in bytes */
    size_t fields, ends_room;
};

/* Reads the next record: 1, or 0 at the end of the input, or -1 if reading fails or memory is short. */
int csv_read(FILE *in, char delimiter, struct record *record);

/* A field of a record, counted from 0, and its length; an empty one where the record is too short. */
const char *csv_field(const struct record *record, size_t index, size_t *length);

/* Prints a field, in quotes if it needs them. */
void csv_print(FILE *out, char delimiter, const char *text, size_t length);

void csv_free(struct record *record);

#endif
