/* How far from the oracle a kernel may be: derived from the sizes and the numbers, for each element. */
#ifndef TOLERANCE_H
#define TOLERANCE_H

#include "naive.h"

/* truth in double (long double for F64 problems), allowed in the same shapes. */
typedef struct tolerance {
  naive_result truth, allowed;
} tolerance;

/* For results stored as `type`; scores, weights and lse are in its compute type. */
/* How far scale * naive_product may be in a type with unit roundoff u, and after a softcap as well. */
double tolerance_product(const naive_problem *problem, int64_t h, const double *q, const double *k, double u);
/* The same of a tanh of additive scores, w and scale aside. */
double tolerance_tanh(double q, double k, double u);

tolerance tolerance_make(const naive_problem *problem, attn_type type);
/* The derived bounds alone, without the naive computation's errors. */
tolerance tolerance_bounds(const naive_problem *problem, attn_type type);
void tolerance_free(tolerance *t);

/* Checks results (each may be null) and returns the largest share of its tolerance that an element used. */
double tolerance_check(const tolerance *t, const naive_problem *problem, const double *output, const double *lse,
                       const double *scores, const double *weights);

#endif
