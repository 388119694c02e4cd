/*
 * One problem in two forms: as the library takes it, over stored and strided arrays, and as the oracle does, dense and
 * in double. Make it, set options in `problem`, change the dense numbers if need be, then trial_store.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "layout.h"
#include "naive.h"

typedef struct trial {
  attn_problem problem;
  naive_problem naive;
  double *query, *key, *value; /* dense BHSD, numbers that the type can hold */
  double *bias, *slopes, *sinks, *additive;
  uint8_t *mask;
  int64_t *query_offsets, *key_lengths;
  attn_type bias_type;
  void *stored_query, *stored_key, *stored_value, *stored_bias, *stored_slopes, *stored_sinks, *stored_additive;
} trial;

/* Uniform numbers in [-1, 1), every option off. */
trial trial_make(attn_type type, int64_t batch, int64_t heads, int64_t kv_heads, int64_t queries, int64_t keys,
                 int64_t dim, int64_t value_dim, random_source *r);
/* Each over a random subset of the four axes, broadcast over the rest. */
void trial_add_mask(trial *t, random_source *r, double visible);
void trial_add_bias(trial *t, random_source *r, attn_type type);
void trial_add_slopes(trial *t, random_source *r);
void trial_add_sinks(trial *t, random_source *r);
/* Additive scores with scale 1 and weights in [-size, size): a vector a head, or one for all. */
void trial_add_additive(trial *t, random_source *r, bool shared, double size);
void trial_add_key_lengths(trial *t, random_source *r);
void trial_add_query_offsets(trial *t, random_source *r);

/* Stores the arrays and completes both problems. With r the layouts are random, without it dense BHSD. */
void trial_store(trial *t, random_source *r);
/* A stored trial of any type, awkward shape, options and layouts, with at most most_work multiplications. */
trial trial_random(random_source *r, double most_work);
void trial_free(trial *t);

int64_t trial_rows(const trial *t);    /* B * H * Sq */
int64_t trial_outputs(const trial *t); /* B * H * Sq * Dv */
int64_t trial_pairs(const trial *t);   /* B * H * Sq * Sk */
double *trial_numbers(int64_t count);  /* a zeroed array; free it */

/* Runs attn_forward into outputs between guard bands (random layouts with r), checks that it succeeded and wrote
 * nothing else, and gives the results as dense BHSD numbers. lse may be null: then none is asked for. */
void trial_run(const trial *t, const char *isa, int threads, random_source *r, double *output, double *lse);

/* attn_weights for all rows and heads; scores and weights may be null. */
attn_status trial_weights(const attn_problem *problem, const void *lse, void *scores, void *weights);

/* The shape and options in a line, for expect_context. */
void trial_describe(const trial *t, const char *isa, int64_t index);

#endif
