#ifndef BENC_H
#define BENC_H

#include <stddef.h>
#include <stdint.h>

/* Lists and dictionaries that may be open at once. */
#define BEN_DEPTH 32

/* What ben_next() returns. */
enum ben_status {
    BEN_ITEM = 1,       /* there is an item */
    BEN_DONE = 0,       /* the one value has been read, and there is nothing behind it */
    BEN_TRUNCATED = -1, /* the data end within the value; also if a string is longer than the data that are left */
    BEN_SYNTAX = -2,    /* a byte that cannot stand where it stands, or data behind the value */
    BEN_RANGE = -3,     /* an integer, read to its end, that does not fit into int64_t */
    BEN_NESTING = -4,   /* more than BEN_DEPTH lists and dictionaries are open */
};

enum ben_kind { BEN_INT, BEN_STR, BEN_LIST, BEN_DICT, BEN_END };

/* An item. A list or dictionary is BEN_LIST or BEN_DICT, its content, and BEN_END; the keys of a dictionary are BEN_STR. */
struct ben_item {
    enum ben_kind kind;
    int64_t number;   /* of BEN_INT */
    const char *text; /* of BEN_STR: in the data, not terminated */
    size_t length;    /* of BEN_STR */
};

struct ben {
    const char *data;
    size_t size, at;
    int depth;
    unsigned char state[BEN_DEPTH]; /* of each open list and dictionary */
    int status;                     /* BEN_ITEM while there may be more */
    int begun;
};

/* Begins to read the `size` bytes at `data`, which must stay while they are read. Nothing outside of them is ever read. */
void ben_open(struct ben *ben, const char *data, size_t size);

/* The next item: BEN_ITEM and the item, or BEN_DONE or an error, which all later calls return again. */
int ben_next(struct ben *ben, struct ben_item *item);

#endif
