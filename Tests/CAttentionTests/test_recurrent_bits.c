/* Recurrent layers: the same bits at any number of threads and alone, what a sequence may touch, and bad arguments. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "number.h"
#include "recurrent_problem.h"

#define STEPS 20
#define BATCH 41
#define HIDDEN 67

static recurrent_problem large(random_source *r, int form) {
  return recurrent_problem_make(r, (recurrent_shape){.lstm = form & 1,
                                                     .type = form & 4 ? ATTN_F64 : ATTN_F32,
                                                     .batch = BATCH,
                                                     .hidden = HIDDEN,
                                                     .steps = STEPS,
                                                     .reverse = form & 2,
                                                     .biases = true,
                                                     .initial = true,
                                                     .finals = true,
                                                     .gap = 5,
                                                     .reach = 2});
}

typedef struct outputs {
  void *arrays[11];
  int64_t elements[11];
} outputs;

/* Copies of all results; the caller frees them. */
static outputs results(const recurrent_problem *p) {
  int64_t h = p->layer.hidden, wide = p->gates * h, state = p->layer.batch * h;
  const struct {
    void *array;
    int64_t elements;
  } all[11] = {{p->states.gates, p->rows * wide},
               {p->states.cell, p->rows * h},
               {p->states.hidden, p->rows > 0 ? (p->rows - 1) * p->states.hidden_row + h : 0},
               {p->states.final_hidden, state},
               {p->states.final_cell, state},
               {p->gradients.gates, p->rows * wide},
               {p->gradients.weight, wide * h},
               {p->gradients.input_bias, wide},
               {p->gradients.hidden_bias, wide},
               {p->gradients.initial_hidden, state},
               {p->gradients.initial_cell, state}};
  outputs o;
  for (int i = 0; i < 11; i++) {
    size_t bytes = (size_t)((all[i].array ? all[i].elements : 0) * number_bytes(p->layer.type));
    o.arrays[i] = malloc(bytes + 1), o.elements[i] = (int64_t)bytes;
    if (bytes) memcpy(o.arrays[i], all[i].array, bytes);
  }
  return o;
}

static void expect_same_outputs(const outputs *a, const outputs *b) {
  for (int i = 0; i < 11; i++) {
    EXPECT_INT(a->elements[i], b->elements[i]);
    EXPECT(memcmp(a->arrays[i], b->arrays[i], (size_t)a->elements[i]) == 0);
  }
}

static void free_outputs(outputs *o) {
  for (int i = 0; i < 11; i++) free(o->arrays[i]);
}

static void threads(random_source *r) {
  for (int form = 0; form < 8; form++) {
    recurrent_problem p = large(r, form);
    recurrent_forward(&p, 1), recurrent_backward(&p, 1);
    outputs want = results(&p);
    for (int n = 0; n < 4; n++) {
      const int counts[] = {2, 3, 7, 0};
      expect_context("%s form %d threads %d", attn_isa_default(), form, counts[n]);
      recurrent_forward(&p, counts[n]), recurrent_backward(&p, counts[n]);
      outputs got = results(&p);
      expect_same_outputs(&got, &want);
      free_outputs(&got);
    }
    free_outputs(&want);
    recurrent_problem_free(&p);
  }
}

static void copy_row(const recurrent_problem *p, const void *to, int64_t to_row, int64_t to_stride, const void *from,
                     int64_t from_row, int64_t from_stride, int64_t width) {
  int64_t bytes = number_bytes(p->layer.type);
  memcpy((char *)to + to_row * to_stride * bytes, (const char *)from + from_row * from_stride * bytes,
         (size_t)(width * bytes));
}

static bool same_row(const recurrent_problem *p, const void *a, int64_t a_row, int64_t a_stride, const void *b,
                     int64_t b_row, int64_t b_stride, int64_t width) {
  int64_t bytes = number_bytes(p->layer.type);
  return memcmp((const char *)a + a_row * a_stride * bytes, (const char *)b + b_row * b_stride * bytes,
                (size_t)(width * bytes)) == 0;
}

/* Sequence b of p as a batch of its own. */
static void expect_same_alone(random_source *r, const recurrent_problem *p, int64_t b) {
  int64_t h = HIDDEN, wide = p->gates * h, length = p->lengths[b], row = p->states.hidden_row;
  recurrent_problem lone = recurrent_problem_make(r, (recurrent_shape){.lstm = p->lstm,
                                                                       .type = p->layer.type,
                                                                       .batch = 1,
                                                                       .hidden = h,
                                                                       .steps = length,
                                                                       .reverse = p->layer.reverse,
                                                                       .biases = true,
                                                                       .initial = true,
                                                                       .finals = true,
                                                                       .lengths = &length});
  copy_row(p, lone.layer.weight, 0, 0, p->layer.weight, 0, 0, wide * h);
  copy_row(p, lone.layer.input_bias, 0, 0, p->layer.input_bias, 0, 0, wide);
  copy_row(p, lone.layer.hidden_bias, 0, 0, p->layer.hidden_bias, 0, 0, wide);
  copy_row(p, lone.layer.initial_hidden, 0, h, p->layer.initial_hidden, b, h, h);
  copy_row(p, lone.gradients.final_hidden, 0, h, p->gradients.final_hidden, b, h, h);
  if (p->lstm) {
    copy_row(p, lone.layer.initial_cell, 0, h, p->layer.initial_cell, b, h, h);
    copy_row(p, lone.gradients.final_cell, 0, h, p->gradients.final_cell, b, h, h);
  }
  for (int64_t t = 0; t < length; t++) {
    copy_row(p, lone.input, t, wide, p->input, p->starts[t] + b, wide, wide);
    copy_row(p, lone.gradients.hidden, t, h, p->gradients.hidden, p->starts[t] + b, row, h);
  }
  recurrent_forward(&lone, 2), recurrent_backward(&lone, 2);
  bool same = same_row(p, lone.states.final_hidden, 0, h, p->states.final_hidden, b, h, h) &&
              same_row(p, lone.gradients.initial_hidden, 0, h, p->gradients.initial_hidden, b, h, h);
  if (p->lstm)
    same = same && same_row(p, lone.states.final_cell, 0, h, p->states.final_cell, b, h, h) &&
           same_row(p, lone.gradients.initial_cell, 0, h, p->gradients.initial_cell, b, h, h);
  for (int64_t t = 0; t < length; t++) {
    int64_t at = p->starts[t] + b;
    same = same && same_row(p, lone.states.gates, t, wide, p->states.gates, at, wide, wide) &&
           same_row(p, lone.states.cell, t, h, p->states.cell, at, h, h) &&
           same_row(p, lone.states.hidden, t, h, p->states.hidden, at, row, h) &&
           same_row(p, lone.gradients.gates, t, wide, p->gradients.gates, at, wide, wide);
  }
  EXPECT(same);
  recurrent_problem_free(&lone);
}

static void alone(random_source *r) {
  for (int form = 0; form < 8; form++) {
    recurrent_problem p = large(r, form);
    recurrent_forward(&p, 2), recurrent_backward(&p, 2);
    const int64_t chosen[] = {0, 1, 7, BATCH / 2, BATCH - 2, BATCH - 1};
    for (int i = 0; i < 6; i++) {
      expect_context("%s form %d sequence %lld alone", attn_isa_default(), form, (long long)chosen[i]);
      expect_same_alone(r, &p, chosen[i]);
    }
    recurrent_problem_free(&p);
  }
}

/* NaN in one sequence reaches all of its own results from there on, and none of another's. */
static void not_finite(random_source *r) {
  for (int form = 0; form < 8; form++) {
    recurrent_problem p = large(r, form);
    int64_t bytes = number_bytes(p.layer.type), row = p.states.hidden_row, b = 3, t = p.lengths[3] / 2;
    recurrent_forward(&p, 2);
    char *before = malloc((size_t)(p.rows * row * bytes));
    memcpy(before, p.states.hidden, (size_t)(((p.rows - 1) * row + HIDDEN) * bytes));
    int64_t spoiled = p.starts[t] + b;
    number_set(p.layer.type, p.input, spoiled * p.gates * HIDDEN, NAN);
    recurrent_forward(&p, 2);
    expect_context("%s form %d NaN", attn_isa_default(), form);
    EXPECT(isnan(number_get(p.layer.type, p.states.hidden, spoiled * row)));
    for (int64_t step = 0; step < STEPS; step++)
      for (int64_t s = 0; s < p.step_rows[step]; s++)
        if (s != b)
          EXPECT(same_row(&p, before, p.starts[step] + s, row, p.states.hidden, p.starts[step] + s, row, HIDDEN));
    free(before);
    recurrent_problem_free(&p);
  }
}

static float w[16 * 4], state[8], gates[3 * 16], cell[12], hidden[12], final[8], dgates[3 * 16], dw[64];
static const int64_t step_rows[] = {2, 1}, growing[] = {1, 2}, many[] = {3, 1}, negative[] = {1, -1};

typedef struct call {
  attn_recurrence layer;
  attn_recurrence_states states;
  attn_recurrence_gradients gradients;
} call;

static call sound(void) {
  return (call){
      {.type = ATTN_F32, .batch = 2, .hidden = 4, .steps = 2, .step_rows = step_rows, .weight = w, .threads = 1},
      {.gates = gates, .cell = cell, .hidden = hidden, .hidden_row = 4},
      {.gates = dgates}};
}

static void expect_refused(const call *x, bool backward, attn_status want, const char *part) {
  expect_context("status %d, %s", (int)want, part);
  float *outputs[] = {gates, cell, hidden, final, dgates, dw};
  const size_t sizes[] = {sizeof gates, sizeof cell, sizeof hidden, sizeof final, sizeof dgates, sizeof dw};
  for (int i = 0; i < 6; i++) memset(outputs[i], RECURRENT_PATTERN, sizes[i]);
  attn_status got =
      backward ? attn_lstm_backward(&x->layer, &x->states, &x->gradients) : attn_lstm_forward(&x->layer, &x->states);
  EXPECT_INT(got, want);
  EXPECT_CONTAINS(attn_error_message(), part);
  bool blank = true;
  for (int i = 0; i < 6; i++)
    for (size_t byte = 0; byte < sizes[i]; byte++) blank = blank && ((uint8_t *)outputs[i])[byte] == RECURRENT_PATTERN;
  EXPECT(blank);
}

#define REFUSE_IN(backward, status, part, ...)  \
  do {                                          \
    call x = sound();                           \
    __VA_ARGS__;                                \
    expect_refused(&x, backward, status, part); \
  } while (0)
#define REFUSE(...) REFUSE_IN(false, __VA_ARGS__)
#define REFUSE_BACKWARD(...) REFUSE_IN(true, __VA_ARGS__)

static void statuses(void) {
  call x = sound();
  EXPECT_INT(attn_lstm_forward(&x.layer, &x.states), ATTN_OK);
  EXPECT_INT(attn_lstm_backward(&x.layer, &x.states, &x.gradients), ATTN_OK);
  EXPECT_INT(attn_lstm_forward(NULL, &x.states), ATTN_ERROR_NULL_POINTER);
  EXPECT_INT(attn_gru_forward(&x.layer, NULL), ATTN_ERROR_NULL_POINTER);
  EXPECT_INT(attn_gru_backward(&x.layer, &x.states, NULL), ATTN_ERROR_NULL_POINTER);
  REFUSE(ATTN_ERROR_TYPE, "type", x.layer.type = ATTN_F16);
  REFUSE(ATTN_ERROR_TYPE, "type", x.layer.type = (attn_type)9);
  REFUSE(ATTN_ERROR_THREADS, "threads is -1", x.layer.threads = -1);
  REFUSE(ATTN_ERROR_NEGATIVE_SIZE, "batch is -1", x.layer.batch = -1);
  REFUSE(ATTN_ERROR_NEGATIVE_SIZE, "hidden is 0", x.layer.hidden = 0);
  REFUSE(ATTN_ERROR_NEGATIVE_SIZE, "steps is -2", x.layer.steps = -2);
  REFUSE(ATTN_ERROR_OVERFLOW, "hidden is", x.layer.hidden = (1 << 24) + 1);
  REFUSE(ATTN_ERROR_OVERFLOW, "batch is", x.layer.batch = (int64_t)INT32_MAX + 1);
  REFUSE(ATTN_ERROR_OVERFLOW, "hidden overflow", x.states.hidden_row = INT64_MAX / 2);
  REFUSE(ATTN_ERROR_NULL_POINTER, "step_rows is null", x.layer.step_rows = NULL);
  REFUSE(ATTN_ERROR_PACKING, "step_rows[0] is 3", x.layer.step_rows = many);
  REFUSE(ATTN_ERROR_PACKING, "step_rows[1] is 2", x.layer.step_rows = growing);
  REFUSE(ATTN_ERROR_PACKING, "step_rows[1] is -1", x.layer.step_rows = negative);
  REFUSE(ATTN_ERROR_NULL_POINTER, "weight is null", x.layer.weight = NULL);
  REFUSE(ATTN_ERROR_NULL_POINTER, "gates is null", x.states.gates = NULL);
  REFUSE(ATTN_ERROR_NULL_POINTER, "cell is null", x.states.cell = NULL);
  REFUSE(ATTN_ERROR_NULL_POINTER, "hidden is null", x.states.hidden = NULL);
  REFUSE(ATTN_ERROR_OVERLAP, "gates overlaps weight", x.states.gates = w);
  REFUSE(ATTN_ERROR_OVERLAP, "cell overlaps gates", x.states.cell = gates + 8);
  REFUSE(ATTN_ERROR_OVERLAP, "hidden overlaps cell", x.states.hidden = cell);
  REFUSE(ATTN_ERROR_OVERLAP, "hidden overlaps input_bias", x.layer.input_bias = hidden);
  REFUSE(ATTN_ERROR_OVERLAP, "cell overlaps hidden_bias", x.layer.hidden_bias = cell);
  REFUSE(ATTN_ERROR_OVERLAP, "hidden make its elements overlap", x.states.hidden_row = 3);
  REFUSE(ATTN_ERROR_OVERLAP, "final_hidden overlaps initial_hidden", x.layer.initial_hidden = state,
         x.states.final_hidden = state);
  REFUSE(ATTN_ERROR_OVERLAP, "final_cell overlaps final_hidden", x.states.final_hidden = final,
         x.states.final_cell = final);
  REFUSE_BACKWARD(ATTN_ERROR_NULL_POINTER, "gradients.gates is null", x.gradients.gates = NULL);
  REFUSE_BACKWARD(ATTN_ERROR_NULL_POINTER, "cell is null", x.states.cell = NULL);
  REFUSE_BACKWARD(ATTN_ERROR_OVERLAP, "gradients.gates overlaps gates", x.gradients.gates = gates);
  REFUSE_BACKWARD(ATTN_ERROR_OVERLAP, "gradients.weight overlaps weight", x.gradients.weight = w);
  REFUSE_BACKWARD(ATTN_ERROR_OVERLAP, "gradients.hidden_bias overlaps gradients.input_bias",
                  x.gradients.input_bias = dw, x.gradients.hidden_bias = dw + 15);
  REFUSE_BACKWARD(ATTN_ERROR_OVERLAP, "gradients.initial_cell overlaps gradients.final_cell",
                  x.gradients.final_cell = final, x.gradients.initial_cell = final);
  REFUSE_BACKWARD(ATTN_ERROR_PACKING, "step_rows", x.layer.step_rows = growing);
  setenv("ATTENTION_ISA", "quantum", 1);
  REFUSE(ATTN_ERROR_ISA, "quantum", x.layer.threads = 1);
  REFUSE_BACKWARD(ATTN_ERROR_ISA, "quantum", x.layer.threads = 1);
  unsetenv("ATTENTION_ISA");
}

int main(void) {
  random_source r = {expect_seed()};
  for (int isa = 0; isa < attn_isa_count(); isa++) {
    if (!attn_isa_available(isa)) continue;
    setenv("ATTENTION_ISA", attn_isa_name(isa), 1);
    threads(&r);
    alone(&r);
    not_finite(&r);
    unsetenv("ATTENTION_ISA");
  }
  statuses();
  return expect_finish();
}
