/* attn_weights against the oracle: scores and weights, rows that sum to 1, packed sequences padded with nothing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "number.h"
#include "tolerance.h"
#include "trial.h"

static void *blank(int64_t count, attn_type type) {
  void *array = malloc((size_t)((count + 16) * number_bytes(type)));
  memset(array, 0xA5, (size_t)((count + 16) * number_bytes(type)));
  return array;
}

static void load(attn_type type, const void *array, int64_t count, double *numbers) {
  for (int64_t i = 0; i < count; i++) numbers[i] = number_get(type, array, i);
  for (int64_t i = 0; i < 16 * number_bytes(type); i++)
    if (!EXPECT_INT(((const uint8_t *)array)[count * number_bytes(type) + i], 0xA5)) return;
}

/* A row's weights and its sink sum to 1 within the errors allowed of the weights. */
static void expect_sums(const trial *t, const tolerance *allowed, const double *weights, const double *lse) {
  int64_t keys = t->problem.key_length, queries = t->problem.query_length;
  for (int64_t row = 0; row < trial_rows(t); row++) {
    long double sum = 0, bound = 0;
    for (int64_t j = 0; j < keys; j++) {
      sum += weights[row * keys + j];
      bound += allowed->allowed.weights[row * keys + j];
    }
    bool attends = lse[row] != -INFINITY;
    if (attends && t->sinks) {
      int64_t h = row / queries % t->problem.query_heads;
      sum += expl((long double)t->sinks[h] - allowed->truth.lse[row]);
      /* The oracle's log-sum-exp is rounded too. */
      bound += ((double)keys + 8 + fabs(lse[row])) * 0x1p-53;
    }
    EXPECT_NEAR(sum, attends ? 1 : 0, bound);
  }
}

static void against_oracle(attn_type type, const char *isa, int64_t index, random_source *r) {
  static const int64_t lengths[] = {1, 5, 47, 49, 129, 200};
  int64_t queries = RANDOM_OF(r, lengths), keys = RANDOM_OF(r, lengths), group = random_int(r, 1, 3);
  trial t =
      trial_make(type, random_int(r, 1, 2), 2 * group, 2, queries, keys, random_int(r, 1, 40), random_int(r, 1, 20), r);
  attn_problem *p = &t.problem;
  p->isa = isa;
  p->alignment = random_chance(r, 0.5) ? ATTN_ALIGN_TOP_LEFT : ATTN_ALIGN_BOTTOM_RIGHT;
  p->causal = random_chance(r, 0.5);
  if (random_chance(r, 0.3)) p->window_left = random_int(r, 0, keys);
  if (random_chance(r, 0.3)) p->softcap = 1.5;
  if (random_chance(r, 0.3)) trial_add_mask(&t, r, 0.6);
  if (random_chance(r, 0.3)) trial_add_bias(&t, r, number_compute_type(type));
  if (random_chance(r, 0.3)) trial_add_slopes(&t, r);
  if (random_chance(r, 0.5)) trial_add_sinks(&t, r);
  if (random_chance(r, 0.3)) trial_add_key_lengths(&t, r);
  if (random_chance(r, 0.3)) p->dropout_probability = 0.5; /* changes nothing here */
  trial_store(&t, r);
  trial_describe(&t, isa, index);
  attn_type real = number_compute_type(type);
  tolerance allowed = tolerance_make(&t.naive, type);
  int64_t pairs = trial_pairs(&t), rows = trial_rows(&t);
  double *output = trial_numbers(trial_outputs(&t)), *lse = trial_numbers(rows);
  double *scores = trial_numbers(pairs), *weights = trial_numbers(pairs), *alone = trial_numbers(pairs);
  trial_run(&t, isa, 1, NULL, output, lse);
  void *lse_array = blank(rows, real), *scores_array = blank(pairs, real), *weights_array = blank(pairs, real);
  for (int64_t i = 0; i < rows; i++) number_set(real, lse_array, i, lse[i]);
  p->threads = 2;
  EXPECT_INT(trial_weights(p, lse_array, scores_array, weights_array), ATTN_OK);
  load(real, scores_array, pairs, scores);
  load(real, weights_array, pairs, weights);
  tolerance_check(&allowed, &t.naive, output, lse, scores, weights);
  expect_sums(&t, &allowed, weights, lse);

  /* Either alone is the same; scores need no lse. */
  memset(scores_array, 0xA5, (size_t)(pairs * number_bytes(real)));
  memset(weights_array, 0xA5, (size_t)(pairs * number_bytes(real)));
  EXPECT_INT(trial_weights(p, NULL, scores_array, NULL), ATTN_OK);
  EXPECT_INT(trial_weights(p, lse_array, NULL, weights_array), ATTN_OK);
  load(real, scores_array, pairs, alone);
  EXPECT_SAME(alone, scores, pairs);
  load(real, weights_array, pairs, alone);
  EXPECT_SAME(alone, weights, pairs);
  free(lse_array), free(scores_array), free(weights_array);
  free(output), free(lse), free(scores), free(weights), free(alone);
  tolerance_free(&allowed);
  trial_free(&t);
}

/* Packed sequences fill the top left of their own [Sq, Sk]; the rest is -infinity and 0. */
static void packed(const char *isa, random_source *r) {
  enum { B = 3, H = 2, SQ = 60, SK = 140, D = 8 };
  const int64_t query_starts[B + 1] = {0, 60, 60, 77}, key_starts[B + 1] = {2, 90, 230, 235};
  trial all = trial_make(ATTN_F32, 1, H, H, 77, 235, D, D, r);
  trial_store(&all, NULL);
  attn_problem p = attn_problem_init(ATTN_F32, B, H, H, SQ, SK, D, D);
  p.isa = isa;
  p.query = all.problem.query, p.key = all.problem.key, p.value = all.problem.value;
  p.query_starts = query_starts, p.key_starts = key_starts;
  static float scores[B * H * SQ * SK], weights[B * H * SQ * SK], lse[B * H * SQ], output[H * 77 * D];
  static float packed_lse[H * 77];
  attn_output o = attn_output_bhsd(output, H, 77, D), l = attn_output_bhsd(packed_lse, H, 77, 1);
  expect_context("%s packed weights", isa);
  EXPECT_INT(attn_forward(&p, &o, &l), ATTN_OK);
  for (int b = 0; b < B; b++)
    for (int h = 0; h < H; h++)
      for (int i = 0; i < SQ; i++) {
        bool row = i < query_starts[b + 1] - query_starts[b];
        lse[(b * H + h) * SQ + i] = row ? packed_lse[h * 77 + query_starts[b] + i] : NAN;
      }
  memset(scores, 0xA5, sizeof scores);
  memset(weights, 0xA5, sizeof weights);
  EXPECT_INT(trial_weights(&p, lse, scores, weights), ATTN_OK);
  for (int b = 0, at = 0; b < B; b++)
    for (int h = 0; h < H; h++)
      for (int i = 0; i < SQ; i++) {
        double sum = 0;
        bool row = i < query_starts[b + 1] - query_starts[b];
        for (int j = 0; j < SK; j++, at++) {
          bool own = row && j < key_starts[b + 1] - key_starts[b];
          EXPECT(own ? isfinite(scores[at]) : scores[at] == -INFINITY && weights[at] == 0);
          sum += (double)weights[at];
        }
        /* 140 weights of at most 1 and relative error below 2^-16, by the bound of tolerance.c for these sizes. */
        EXPECT_NEAR(sum, row ? 1 : 0, 0x1p-16);
      }
  trial_free(&all);
}

int main(void) {
  random_source r = {expect_seed()};
  int cases = expect_cases(25);
  for (int i = 0; i < attn_isa_count(); i++) {
    if (!attn_isa_available(i)) continue;
    for (int type = ATTN_F32; type <= ATTN_BF16; type++)
      for (int index = 0; index < cases; index++) against_oracle((attn_type)type, attn_isa_name(i), index, &r);
    packed(attn_isa_name(i), &r);
  }
  return expect_finish();
}
