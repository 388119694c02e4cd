/* Numbers of the four element types, read and written one at a time by arithmetic, not by the library's bit tricks. */
#ifndef NUMBER_H
#define NUMBER_H

#include "attention.h"

int64_t number_bytes(attn_type type);
attn_type number_compute_type(attn_type storage);
const char *number_type_name(attn_type type);

double number_get(attn_type type, const void *array, int64_t index);
/* Rounds to nearest, ties to even. */
void number_set(attn_type type, void *array, int64_t index, double x);
/* x as the type would keep it. */
double number_round(attn_type type, double x);

/* Unit roundoff of a type: half the distance from 1 to the next number. */
double number_unit(attn_type type);
/* The largest finite number. */
double number_largest(attn_type type);
/* Half the distance between neighbours of the type at size |x|: the largest rounding error there. */
double number_half_ulp(attn_type type, double x);

#endif
