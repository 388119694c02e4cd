#include "recurrent_problem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "number.h"

static void *blank(attn_type type, int64_t count) {
  size_t bytes = (size_t)(count * number_bytes(type));
  void *array = malloc(bytes + 1);
  memset(array, RECURRENT_PATTERN, bytes);
  return array;
}

/* Rows of `width` numbers, `stride` apart; nothing behind the last. */
static void *random_rows(random_source *r, attn_type type, int64_t rows, int64_t width, int64_t stride, double reach) {
  void *array = blank(type, rows > 0 ? (rows - 1) * stride + width : 0);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < width; j++) number_set(type, array, i * stride + j, random_double(r, -reach, reach));
  return array;
}

static int longest_first(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x < y) - (x > y);
}

recurrent_problem recurrent_problem_make(random_source *r, recurrent_shape s) {
  recurrent_problem p = {.lstm = s.lstm, .gates = s.lstm ? 4 : 3};
  p.lengths = malloc((size_t)(s.batch + 1) * sizeof *p.lengths);
  for (int64_t b = 0; b < s.batch; b++) p.lengths[b] = s.lengths ? s.lengths[b] : random_int(r, 0, s.steps);
  qsort(p.lengths, (size_t)s.batch, sizeof *p.lengths, longest_first);
  for (int64_t t = 0; t < s.steps; t++) {
    for (int64_t b = 0; b < s.batch; b++) p.step_rows[t] += p.lengths[b] > t;
    p.starts[t + 1] = p.starts[t] + p.step_rows[t];
  }
  p.rows = p.starts[s.steps];
  int64_t h = s.hidden, wide = p.gates * h, row = h + s.gap;
  /* What the oracle knows of an error grows by the sum of a row's magnitudes a step: at most 4. */
  double bound = fmin(1 / sqrt((double)h), 4 / (double)h);
  p.input = random_rows(r, s.type, p.rows, wide, wide, s.reach);
  p.layer = (attn_recurrence){.type = s.type,
                              .batch = s.batch,
                              .hidden = h,
                              .steps = s.steps,
                              .reverse = s.reverse,
                              .weight = random_rows(r, s.type, wide, h, h, bound)};
  if (s.biases) {
    p.layer.input_bias = random_rows(r, s.type, 1, wide, wide, bound);
    p.layer.hidden_bias = random_rows(r, s.type, 1, wide, wide, bound);
  }
  if (s.initial) {
    p.layer.initial_hidden = random_rows(r, s.type, s.batch, h, h, 1);
    if (s.lstm) p.layer.initial_cell = random_rows(r, s.type, s.batch, h, h, 1);
  }
  p.states = (attn_recurrence_states){.gates = blank(s.type, p.rows * wide),
                                      .cell = blank(s.type, p.rows * h),
                                      .hidden = blank(s.type, p.rows > 0 ? (p.rows - 1) * row + h : 0),
                                      .hidden_row = row};
  p.gradients = (attn_recurrence_gradients){.hidden_row = row, .gates = blank(s.type, p.rows * wide)};
  if (s.finals || !s.initial) p.gradients.hidden = random_rows(r, s.type, p.rows, h, row, 1);
  if (s.finals) {
    p.states.final_hidden = blank(s.type, s.batch * h);
    p.gradients.final_hidden = random_rows(r, s.type, s.batch, h, h, 1);
    p.gradients.initial_hidden = blank(s.type, s.batch * h);
    if (s.lstm) {
      p.states.final_cell = blank(s.type, s.batch * h);
      p.gradients.final_cell = random_rows(r, s.type, s.batch, h, h, 1);
      p.gradients.initial_cell = blank(s.type, s.batch * h);
    }
  }
  p.gradients.weight = blank(s.type, wide * h);
  p.gradients.input_bias = blank(s.type, wide);
  p.gradients.hidden_bias = blank(s.type, wide);
  return p;
}

void recurrent_problem_free(recurrent_problem *p) {
  const void *all[] = {p->lengths,
                       p->input,
                       p->layer.weight,
                       p->layer.input_bias,
                       p->layer.hidden_bias,
                       p->layer.initial_hidden,
                       p->layer.initial_cell,
                       p->states.gates,
                       p->states.cell,
                       p->states.hidden,
                       p->states.final_hidden,
                       p->states.final_cell,
                       p->gradients.hidden,
                       p->gradients.final_hidden,
                       p->gradients.final_cell,
                       p->gradients.gates,
                       p->gradients.weight,
                       p->gradients.input_bias,
                       p->gradients.hidden_bias,
                       p->gradients.initial_hidden,
                       p->gradients.initial_cell};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free((void *)all[i]);
}

void recurrent_forward(recurrent_problem *p, int threads) {
  p->layer.step_rows = p->step_rows;
  p->layer.threads = threads;
  memcpy(p->states.gates, p->input, (size_t)(p->rows * p->gates * p->layer.hidden * number_bytes(p->layer.type)));
  attn_status status = (p->lstm ? attn_lstm_forward : attn_gru_forward)(&p->layer, &p->states);
  if (!EXPECT_INT(status, ATTN_OK)) printf("  %s\n", attn_error_message());
}

void recurrent_backward(recurrent_problem *p, int threads) {
  p->layer.step_rows = p->step_rows;
  p->layer.threads = threads;
  attn_status status = (p->lstm ? attn_lstm_backward : attn_gru_backward)(&p->layer, &p->states, &p->gradients);
  if (!EXPECT_INT(status, ATTN_OK)) printf("  %s\n", attn_error_message());
}

bool recurrent_gaps_intact(const recurrent_problem *p) {
  int64_t bytes = number_bytes(p->layer.type), h = p->layer.hidden, row = p->states.hidden_row;
  const uint8_t *hidden = p->states.hidden;
  bool intact = true;
  for (int64_t i = 0; i + 1 < p->rows; i++)
    for (int64_t byte = (i * row + h) * bytes; byte < (i + 1) * row * bytes; byte++)
      intact = intact && hidden[byte] == RECURRENT_PATTERN;
  return intact;
}
