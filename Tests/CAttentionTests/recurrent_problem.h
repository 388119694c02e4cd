/* A recurrent layer with its inputs and room for its outputs, all sizes and options random or chosen. */
#ifndef RECURRENT_PROBLEM_H
#define RECURRENT_PROBLEM_H

#include "attention.h"
#include "random.h"

#define MOST_STEPS 32

typedef struct recurrent_problem {
  bool lstm;
  attn_recurrence layer;
  attn_recurrence_states states;
  attn_recurrence_gradients gradients;
  int64_t gates, rows;
  int64_t step_rows[MOST_STEPS], starts[MOST_STEPS + 1], *lengths;
  void *input; /* x W_ih^T, [N, K H] */
} recurrent_problem;

typedef struct recurrent_shape {
  bool lstm;
  attn_type type;
  int64_t batch, hidden, steps;
  bool reverse, biases, initial, finals; /* what is given; finals: final states and their gradients too */
  int64_t gap;                           /* between rows of hidden and its gradient */
  double reach;                          /* inputs are in [-reach, reach) */
  const int64_t *lengths;                /* [B]; null = random */
} recurrent_shape;

/* Random numbers, weights in +-1 / sqrt(H) or +-4 / H; lengths in [0, T]. Gaps and outputs hold RECURRENT_PATTERN
 * bytes. */
recurrent_problem recurrent_problem_make(random_source *r, recurrent_shape shape);
void recurrent_problem_free(recurrent_problem *p);
#define RECURRENT_PATTERN 0xA5

/* Fills gates with the input and runs; both expect ATTN_OK. */
void recurrent_forward(recurrent_problem *p, int threads);
void recurrent_backward(recurrent_problem *p, int threads);

/* Whether the bytes between rows of hidden are as they were. */
bool recurrent_gaps_intact(const recurrent_problem *p);

#endif
