#include "benc.h"

#include <ctype.h>
#include <string.h>

enum { IN_LIST, WANT_KEY, WANT_VALUE };

void ben_open(struct ben *ben, const char *data, size_t size)
{
    memset(ben, 0, sizeof *ben);
    ben->data = data;
    ben->size = size;
    ben->status = BEN_ITEM;
}

static int fail(struct ben *ben, int status)
{
    ben->status = status;
    return status;
}

/* A value has been read: what comes next in the list or dictionary that it is in? */
static void value_read(struct ben *ben)
{
    if (ben->depth > 0 && ben->state[ben->depth - 1] != IN_LIST)
        ben->state[ben->depth - 1] = ben->state[ben->depth - 1] == WANT_KEY ? WANT_VALUE : WANT_KEY;
}

static int read_int(struct ben *ben, struct ben_item *item)
{
    const char *begin = ben->data + ++ben->at;
    int64_t number = 0;
    int negative = *begin == '-';

    if (negative) {
        ben->at++;
        begin++;
    }
    while (isdigit((unsigned char)ben->data[ben->at]))
        number = number * 10 + (ben->data[ben->at++] - '0');
    if (ben->at >= ben->size)
        return fail(ben, BEN_TRUNCATED);
    if (ben->data[ben->at] != 'e' || ben->data + ben->at == begin)
        return fail(ben, BEN_SYNTAX);
    if (*begin == '0' && (negative || ben->data + ben->at > begin + 1))
        return fail(ben, BEN_SYNTAX);
    ben->at++;
    item->kind = BEN_INT;
    item->number = negative ? -number : number;
    value_read(ben);
    return BEN_ITEM;
}

static int read_str(struct ben *ben, struct ben_item *item)
{
    const char *begin = ben->data + ben->at;
    size_t length = 0;

    while (isdigit((unsigned char)ben->data[ben->at]))
        length = length * 10 + (size_t)(ben->data[ben->at++] - '0');
    if (ben->at >= ben->size)
        return fail(ben, BEN_TRUNCATED);
    if (ben->data[ben->at] != ':' || (*begin == '0' && ben->data + ben->at > begin + 1))
        return fail(ben, BEN_SYNTAX);
    ben->at++;
    if (ben->at + length > ben->size)
        return fail(ben, BEN_TRUNCATED);
    item->kind = BEN_STR;
    item->text = ben->data + ben->at;
    item->length = length;
    ben->at += length;
    value_read(ben);
    return BEN_ITEM;
}

static int open_container(struct ben *ben, struct ben_item *item, enum ben_kind kind)
{
    if (ben->depth > BEN_DEPTH)
        return fail(ben, BEN_NESTING);
    ben->at++;
    value_read(ben);
    ben->state[ben->depth++] = kind == BEN_LIST ? IN_LIST : WANT_KEY;
    item->kind = kind;
    return BEN_ITEM;
}

int ben_next(struct ben *ben, struct ben_item *item)
{
    if (ben->status != BEN_ITEM)
        return ben->status;
    if (ben->begun && ben->depth == 0)
        return fail(ben, ben->at == ben->size ? BEN_DONE : BEN_SYNTAX);
    ben->begun = 1;
    memset(item, 0, sizeof *item);

    int state = ben->depth == 0 ? IN_LIST : ben->state[ben->depth - 1];
    char first = ben->data[ben->at];
    if (ben->at >= ben->size)
        return fail(ben, BEN_TRUNCATED);
    if (isdigit((unsigned char)first))
        return read_str(ben, item);
    if (first == 'e' && ben->depth > 0 && state != WANT_VALUE) {
        ben->at++;
        ben->depth--;
        item->kind = BEN_END;
        return BEN_ITEM;
    }
    if (state == WANT_KEY)
        return fail(ben, BEN_SYNTAX);
    switch (first) {
    case 'i':
        return read_int(ben, item);
    case 'l':
        return open_container(ben, item, BEN_LIST);
    case 'd':
        return open_container(ben, item, BEN_DICT);
    default:
        return fail(ben, BEN_SYNTAX);
    }
}
