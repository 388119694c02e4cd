/* Rows that may attend to nothing give 0 and -infinity, whatever hides the keys; visible keys at -infinity give NaN. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "number.h"
#include "trial.h"

enum { S = 130, D = 16 };

/* Runs and expects 0 and -infinity in the rows whose `empty` is set, finite numbers in the others. */
static void expect_empty(const trial *t, const char *isa, const bool *empty, const char *how) {
  double *output = trial_numbers(trial_outputs(t)), *lse = trial_numbers(trial_rows(t));
  expect_context("%s %s %s", isa, number_type_name(t->problem.type), how);
  trial_run(t, isa, 1, NULL, output, lse);
  int64_t dv = t->problem.value_dim;
  for (int64_t row = 0; row < trial_rows(t); row++) {
    bool none = empty[row % t->problem.query_length];
    if (none)
      EXPECT(lse[row] == -INFINITY);
    else
      EXPECT(isfinite(lse[row]));
    for (int64_t d = 0; d < dv; d++) {
      double x = output[row * dv + d];
      EXPECT(none ? x == 0 && !signbit(x) : isfinite(x) && x != 0);
    }
  }
  free(output);
  free(lse);
}

typedef void hide(trial *t, bool *empty);

static void by_lengths(trial *t, bool *empty) {
  t->key_lengths = calloc(2, sizeof(int64_t));
  for (int i = 0; i < S; i++) empty[i] = true;
}

static void by_mask(trial *t, bool *empty) {
  t->mask = malloc((size_t)S * S);
  memset(t->mask, 1, (size_t)S * S);
  t->naive.mask_strides[2] = S;
  t->naive.mask_strides[3] = 1;
  for (int i = 0; i < S; i++)
    if (i % 3 == 1 || i == 0 || i == S - 1) {
      memset(t->mask + i * S, 0, S);
      empty[i] = true;
    }
}

static void by_broadcast_mask(trial *t, bool *empty) {
  t->mask = calloc(1, 1);
  for (int i = 0; i < S; i++) empty[i] = true;
}

static void by_causal(trial *t, bool *empty) {
  t->problem.causal = true;
  t->problem.alignment = ATTN_ALIGN_OFFSET;
  t->problem.query_offset = -60;
  for (int i = 0; i < 60; i++) empty[i] = true;
}

static void by_window(trial *t, bool *empty) {
  t->problem.alignment = ATTN_ALIGN_OFFSET;
  t->problem.query_offset = 100;
  t->problem.window_left = 10;
  for (int i = 0; i < S; i++) empty[i] = i + 100 - 10 >= S;
}

static void by_far_offset(trial *t, bool *empty) {
  t->problem.causal = true;
  t->problem.alignment = ATTN_ALIGN_OFFSET;
  t->problem.query_offset = INT64_MIN;
  for (int i = 0; i < S; i++) empty[i] = true;
}

/* Causal leaves the keys up to the query, the mask takes those. */
static void by_both(trial *t, bool *empty) {
  t->problem.causal = true;
  t->mask = malloc(S);
  for (int j = 0; j < S; j++) t->mask[j] = j >= 70;
  t->naive.mask_strides[3] = 1;
  for (int i = 0; i < 70; i++) empty[i] = true;
}

static void each_way(attn_type type, const char *isa, random_source *r) {
  const struct {
    const char *name;
    hide *hide;
  } ways[] = {{"key_lengths", by_lengths}, {"mask", by_mask},     {"a broadcast mask", by_broadcast_mask},
              {"causal", by_causal},       {"window", by_window}, {"a far offset", by_far_offset},
              {"causal and mask", by_both}};
  for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++)
    for (int sinks = 0; sinks < 2; sinks++) {
      trial t = trial_make(type, 2, 2, 1, S, S, D, D, r);
      bool empty[S] = {false};
      ways[way].hide(&t, empty);
      if (sinks) trial_add_sinks(&t, r);
      trial_store(&t, NULL);
      expect_empty(&t, isa, empty, ways[way].name);
      trial_free(&t);
    }
}

/* A bias of -infinity masks nothing: where all that is visible stands at -infinity the softmax is NaN, but a sink or
 * one finite score makes it an ordinary row. */
static void minus_infinity(attn_type type, const char *isa, random_source *r) {
  for (int sinks = 0; sinks < 2; sinks++) {
    trial t = trial_make(type, 1, 1, 1, 3, S, D, D, r);
    attn_type bias_type = number_compute_type(type);
    t.bias_type = bias_type;
    t.bias = trial_numbers(2 * S);
    t.stored_bias = malloc((size_t)(2 * S * number_bytes(bias_type)));
    for (int j = 0; j < 2 * S; j++) t.bias[j] = j == 2 * S - 1 ? 0 : -INFINITY;
    for (int j = 0; j < 2 * S; j++) number_set(bias_type, t.stored_bias, j, t.bias[j]);
    /* Rows 0 and 1 see -infinity only; row 2 sees key S - 1 at 0. */
    t.naive.bias_strides[2] = S / 2;
    t.naive.bias_strides[3] = 1;
    if (sinks) trial_add_sinks(&t, r);
    trial_store(&t, NULL);
    double output[3 * D], lse[3];
    trial_run(&t, isa, 1, NULL, output, lse);
    expect_context("%s %s all -infinity, sinks %d", isa, number_type_name(type), sinks);
    for (int i = 0; i < 3; i++) {
      if (i == 2)
        EXPECT(isfinite(lse[i]));
      else if (sinks)
        EXPECT_NEAR(lse[i], t.sinks[0], 4 * number_unit(bias_type) * fabs(t.sinks[0]));
      else
        EXPECT(isnan(lse[i]));
      for (int d = 0; d < D; d++) {
        double x = output[i * D + d];
        if (i == 2 && !sinks)
          EXPECT(x == t.value[(S - 1) * D + d]);
        else if (i < 2)
          EXPECT(sinks ? x == 0 : isnan(x));
      }
    }
    trial_free(&t);
  }
}

static void nothing_at_all(const char *isa, random_source *r) {
  for (int sinks = 0; sinks < 2; sinks++) {
    trial t = trial_make(ATTN_F32, 2, 2, 1, S, 0, D, D, r);
    bool empty[S];
    memset(empty, true, sizeof empty);
    if (sinks) trial_add_sinks(&t, r);
    trial_store(&t, NULL);
    t.problem.key.data = t.problem.value.data = NULL;
    expect_empty(&t, isa, empty, "Sk = 0");
    trial_free(&t);
  }
  uint8_t guard[16];
  memset(guard, 0xA5, sizeof guard);
  for (int which = 0; which < 2; which++) {
    attn_problem p = attn_problem_init(ATTN_F32, which ? 0 : 2, 2, 1, which ? 4 : 0, 5, D, D);
    p.isa = isa;
    attn_output output = attn_output_bhsd(guard, 2, p.query_length, D), lse = attn_output_bhsd(guard, 2, 4, 1);
    expect_context("%s %s", isa, which ? "B = 0" : "Sq = 0");
    EXPECT_INT(attn_forward(&p, &output, &lse), ATTN_OK);
    EXPECT_INT(trial_weights(&p, NULL, guard, guard), ATTN_OK);
    for (size_t i = 0; i < sizeof guard; i++) EXPECT_INT(guard[i], 0xA5);
  }
}

int main(void) {
  random_source r = {expect_seed()};
  for (int i = 0; i < attn_isa_count(); i++) {
    if (!attn_isa_available(i)) continue;
    for (int type = ATTN_F32; type <= ATTN_BF16; type++) {
      each_way((attn_type)type, attn_isa_name(i), &r);
      minus_infinity((attn_type)type, attn_isa_name(i), &r);
    }
    nothing_at_all(attn_isa_name(i), &r);
  }
  return expect_finish();
}
