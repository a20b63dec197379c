#include "csv.h"

#include <stdlib.h>
#include <string.h>

static int add_byte(struct record *record, int byte)
{
    if (record->used == record->room) {
        size_t room = record->room > 0 ? 2 * record->room : 256;
        char *bytes = realloc(record->bytes, room);
        if (bytes == NULL)
            return -1;
        record->bytes = bytes;
        record->room = room;
    }
    record->bytes[record->used++] = (char)byte;
    return 0;
}

static int end_field(struct record *record)
{
    if (record->fields == record->ends_room) {
        size_t room = record->ends_room > 0 ? 2 * record->ends_room : 32;
        size_t *ends = realloc(record->ends, room * sizeof *ends);
        if (ends == NULL)
            return -1;
        record->ends = ends;
        record->ends_room = room;
    }
    record->ends[record->fields++] = record->used;
    return 0;
}

int csv_read(FILE *in, char delimiter, struct record *record)
{
    int quoted = 0, at_begin = 1, c = getc(in);

    record->used = record->fields = 0;
    if (c == EOF)
        return ferror(in) ? -1 : 0;
    for (;; c = getc(in)) {
        if (c == EOF)
            return ferror(in) || end_field(record) != 0 ? -1 : 1;
        if (quoted) {
            if (c == '"') {
                c = getc(in);
                if (c != '"') {
                    quoted = 0;
                    if (c != EOF)
                        ungetc(c, in);
                    continue;
                }
            }
        } else if (c == '"' && at_begin) {
            quoted = 1;
            at_begin = 0;
            continue;
        } else if (c == (unsigned char)delimiter) {
            if (end_field(record) != 0)
                return -1;
            at_begin = 1;
            continue;
        } else if (c == '\n') {
            return end_field(record) != 0 ? -1 : 1;
        } else if (c == '\r') {
            int next = getc(in);
            if (next == '\n')
                return end_field(record) != 0 ? -1 : 1;
            if (next != EOF)
                ungetc(next, in);
        }
        at_begin = 0;
        if (add_byte(record, c) != 0)
            return -1;
    }
}

const char *csv_field(const struct record *record, size_t index, size_t *length)
{
    if (index >= record->fields) {
        *length = 0;
        return "";
    }
    size_t begin = index > 0 ? record->ends[index - 1] : 0;
    *length = record->ends[index] - begin;
    return *length > 0 ? record->bytes + begin : "";
}

void csv_print(FILE *out, char delimiter, const char *text, size_t length)
{
    int quotes = 0;

    for (size_t i = 0; i < length; i++)
        quotes |= text[i] == delimiter || text[i] == '"' || text[i] == '\r' || text[i] == '\n';
    if (quotes)
        putc('"', out);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"')
            putc('"', out);
        putc(text[i], out);
    }
    if (quotes)
        putc('"', out);
}

void csv_free(struct record *record)
{
    free(record->bytes);
    free(record->ends);
}
