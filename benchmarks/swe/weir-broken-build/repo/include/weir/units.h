#ifndef WEIR_UNITS_H
#define WEIR_UNITS_H

/* A unit of time. */
struct unit {
    const char *name;
    double seconds;
};

/* The unit of that name, or NULL. */
const struct unit *unit_find(const char *name);

#endif
