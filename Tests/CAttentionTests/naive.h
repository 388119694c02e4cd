/*
 * The oracle: attention as attention.h defines it, in loops over dense arrays, with every score in memory. It shares
 * nothing with the library but the public header's enumerations. The same text computes in float, double and long
 * double: the first is the textbook computation that a kernel is measured beside, the last two are the truth.
 */
#ifndef NAIVE_H
#define NAIVE_H

#include "attention.h"

typedef struct naive_problem {
  int64_t batch, heads, kv_heads, queries, keys, dim, value_dim;
  const double *query, *key, *value; /* [B, H, Sq, D], [B, G, Sk, D], [B, G, Sk, Dv] */
  const double *additive;            /* null, or w of sum w tanh(q + k) */
  int64_t additive_stride;           /* from head to head; 0 = one for all */
  double scale, softcap;             /* softcap 0 = none */

  attn_alignment alignment;
  int64_t query_offset;
  const int64_t *query_offsets;              /* [B] */
  const int64_t *query_counts, *key_counts;  /* [B] rows that a sequence has, or null: all */
  bool causal;
  int64_t window_left, window_right; /* -1 = unbounded */
  const int64_t *key_lengths;        /* [B] or null */

  const uint8_t *mask; /* null = none */
  int64_t mask_strides[4];
  const double *bias; /* null = none */
  int64_t bias_strides[4];

  const double *slopes, *sinks; /* [H] or null */
  double dropout_probability;
  uint64_t dropout_seed;
} naive_problem;

/* Arrays that may be null. output [B, H, Sq, Dv], lse [B, H, Sq], the others [B, H, Sq, Sk]. */
typedef struct naive_result {
  long double *output, *lse;
  long double *scores;  /* -infinity where masked */
  long double *weights; /* undropped */
} naive_result;

void naive_float(const naive_problem *problem, const naive_result *result);
void naive_double(const naive_problem *problem, const naive_result *result);
void naive_long_double(const naive_problem *problem, const naive_result *result);

/* Shapes of the inputs; the bias' by its strides, none negative and 0 along an axis that is summed over. All arrays are
 * given, zeroed; a problem without sinks or additive scores leaves theirs so. */
typedef struct naive_gradients {
  long double *query, *key, *value, *bias, *sinks, *additive;
  int64_t bias_strides[4], bias_elements;
} naive_gradients;

/* The gradients of sum(output_gradient * output), from weights and gradients of scores in memory. <do, o> is taken with
 * `output` where it is given (an output that was stored and rounded), else with the computed one. Masked pairs, and
 * rows that attend to nothing, are skipped whatever they hold. */
void naive_gradients_float(const naive_problem *problem, const double *output, const double *output_gradient,
                           const naive_gradients *result);
void naive_gradients_double(const naive_problem *problem, const double *output, const double *output_gradient,
                            const naive_gradients *result);
void naive_gradients_long_double(const naive_problem *problem, const double *output, const double *output_gradient,
                                 const naive_gradients *result);

/* sum q k, or sum w tanh(q + k) of additive scores, in double. */
double naive_product(const naive_problem *problem, int64_t h, const double *q, const double *k);
bool naive_visible(const naive_problem *problem, int64_t b, int64_t h, int64_t i, int64_t j);
bool naive_kept(const naive_problem *problem, int64_t b, int64_t h, int64_t i, int64_t j);
/* What bias and ALiBi add to a score. */
double naive_bias(const naive_problem *problem, int64_t b, int64_t h, int64_t i, int64_t j);
double naive_alibi(const naive_problem *problem, int64_t b, int64_t h, int64_t i, int64_t j);

/* Philox4x32-10, in place. */
void naive_philox(uint32_t counter[4], const uint32_t key[2]);

#endif
