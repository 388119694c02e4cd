/* attn_backward on a trial: what it is given, what it gives, and how far from the oracle that may be. */
#ifndef GRADIENTS_H
#define GRADIENTS_H

#include "trial.h"

/* Dense BHSD numbers beside the problem: results of attn_forward, and do. */
typedef struct saved {
  double *output, *lse, *output_gradient;
} saved;

/* Runs attn_forward; the output gradient is uniform in [-1, 1). */
saved saved_make(const trial *t, const char *isa, random_source *r);
void saved_free(saved *s);

/* Dense numbers in the shapes of the inputs; null = not wanted. The bias' are row-major over the axes whose stride is
 * not 0. */
typedef struct gradients {
  double *query, *key, *value, *bias, *sinks;
  int64_t bias_strides[4], bias_elements;
  double *additive;
} gradients;

/* All that the problem has. The bias' is summed over the axes that its bias repeats along and, with r, over some of the
 * others. */
gradients gradients_make(const trial *t, random_source *r);
/* The same ones, zeroed. */
gradients gradients_like(const trial *t, const gradients *shape);
void gradients_free(gradients *g);

int64_t gradients_queries(const trial *t); /* B * H * Sq * D */
int64_t gradients_keys(const trial *t);    /* B * G * Sk * D */
int64_t gradients_values(const trial *t);  /* B * G * Sk * Dv */
int64_t gradients_weights(const trial *t); /* H * D of additive scores, or D where the heads share them */

/* Runs attn_backward into outputs between guard bands (random layouts with r), checks that it succeeded and wrote
 * nothing else, and gives the gradients that are wanted as dense numbers. */
void gradients_run(const trial *t, const char *isa, int threads, random_source *r, const saved *s, gradients *g);

/* The same bits in all gradients that `got` has. */
void gradients_expect_same(const trial *t, const gradients *got, const gradients *want);

typedef struct gradient_tolerance {
  naive_gradients truth, allowed;
} gradient_tolerance;

gradient_tolerance gradient_tolerance_make(const trial *t, const saved *s, const gradients *shape);
void gradient_tolerance_free(gradient_tolerance *tolerance);
/* Checks the gradients that are wanted and returns the largest share of its tolerance that an element used. */
double gradient_tolerance_check(const gradient_tolerance *tolerance, const trial *t, const gradients *got);

#endif
