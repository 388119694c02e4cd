/*
 * Additive scores against the oracle, forward and backward. Queries and keys of all sizes stand side by side in a tile:
 * some pairs are near 0, some saturate, some are large and cancel, so that both ways of tolerance.c are taken.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "gradients.h"
#include "number.h"
#include "tolerance.h"

/* What the rows of queries and of keys are multiplied by, and how far they are moved apart. */
typedef struct magnitude {
  double size, offset;
} magnitude;

static const magnitude magnitudes[] = {{0.01, 0}, {1, 0}, {5, 0}, {20, 0}, {100, 0}, {1, 60}, {1, 30}};
#define MAGNITUDES ((int)(sizeof magnitudes / sizeof magnitudes[0]))
#define MIXED MAGNITUDES

static void scale_rows(attn_type type, double *rows, int64_t count, int64_t dim, double sign, int which,
                       random_source *r) {
  for (int64_t i = 0; i < count; i++) {
    magnitude m = magnitudes[which == MIXED ? random_int(r, 0, MAGNITUDES - 1) : which];
    for (int64_t d = 0; d < dim; d++)
      rows[i * dim + d] = number_round(type, rows[i * dim + d] * m.size + sign * m.offset);
  }
}

/* Before trial_store. `which` is an index of magnitudes, or MIXED. */
static void set_magnitudes(trial *t, int which, random_source *r) {
  const attn_problem *p = &t->problem;
  scale_rows(p->type, t->query, trial_rows(t), p->head_dim, 1, which, r);
  scale_rows(p->type, t->key, p->batch * p->kv_heads * p->key_length, p->head_dim, -1, which, r);
}

static void weights_of(const trial *t, const char *isa, const double *lse, double *scores, double *weights) {
  attn_type real = number_compute_type(t->problem.type);
  layout l = layout_bhsd(1, 1, 1, trial_pairs(t)), rows = layout_bhsd(1, 1, 1, trial_rows(t));
  void *stored = layout_store(&rows, real, lse), *s = layout_blank(&l, real), *w = layout_blank(&l, real);
  attn_problem p = t->problem;
  p.isa = isa;
  EXPECT_INT(trial_weights(&p, stored, s, w), ATTN_OK);
  layout_load(&l, real, s, scores);
  layout_load(&l, real, w, weights);
  free(stored), free(s), free(w);
}

/* Forward, attn_weights and, when asked for, backward on every instruction set. */
static void against_oracle(const trial *t, bool backward, int64_t index, random_source *r) {
  tolerance forward = tolerance_make(&t->naive, t->problem.type);
  double *output = trial_numbers(trial_outputs(t)), *lse = trial_numbers(trial_rows(t));
  double *scores = trial_numbers(trial_pairs(t)), *weights = trial_numbers(trial_pairs(t));
  saved s = {.output = NULL};
  gradients shape = {.query = NULL};
  gradient_tolerance allowed = {.truth = {.query = NULL}};
  for (int isa = 0; isa < attn_isa_count(); isa++) {
    if (!attn_isa_available(isa)) continue;
    const char *name = attn_isa_name(isa);
    trial_describe(t, name, index);
    trial_run(t, name, 2, r, output, lse);
    weights_of(t, name, lse, scores, weights);
    tolerance_check(&forward, &t->naive, output, lse, scores, weights);
    if (!backward) continue;
    if (!s.output) {
      /* One oracle serves all: any output within its bound may be given to attn_backward. */
      s = saved_make(t, name, r);
      shape = gradients_make(t, r);
      allowed = gradient_tolerance_make(t, &s, &shape);
    }
    gradients got = gradients_like(t, &shape);
    gradients_run(t, name, 2, r, &s, &got);
    gradient_tolerance_check(&allowed, t, &got);
    gradients_free(&got);
  }
  if (s.output) gradient_tolerance_free(&allowed), gradients_free(&shape), saved_free(&s);
  tolerance_free(&forward);
  free(output), free(lse), free(scores), free(weights);
}

/* Every dimension, in every type, with a vector for all heads and one a head, plain. */
static void dimensions(random_source *r) {
  static const int64_t dims[] = {1, 3, 4, 5, 7, 8, 64, 100, 256};
  for (int n = 0; n < 9; n++)
    for (int type = ATTN_F32; type <= ATTN_BF16; type++)
      for (int shared = 0; shared < 2; shared++) {
        bool wide = dims[n] >= 64, backward = type <= ATTN_F64;
        trial t = trial_make((attn_type)type, 1, 2, shared ? 1 : 2, wide ? 5 : 13, wide ? 19 : 37, dims[n],
                             shared ? dims[n] : 6, r);
        trial_add_additive(&t, r, shared, dims[n] > 8 ? 0.5 : 2);
        set_magnitudes(&t, shared ? MIXED : (n + type) % MAGNITUDES, r);
        trial_store(&t, r);
        against_oracle(&t, backward, n, r);
        trial_free(&t);
      }
}

/* Every magnitude alone, over the edges of tiles of queries and of keys. */
static void every_magnitude(random_source *r) {
  for (int which = 0; which <= MIXED; which++)
    for (int type = ATTN_F32; type <= ATTN_F64; type++) {
      trial t = trial_make((attn_type)type, 1, 2, 1, 27, 133, 5, 3, r);
      trial_add_additive(&t, r, which % 2, 3);
      set_magnitudes(&t, which, r);
      trial_store(&t, NULL);
      against_oracle(&t, true, which, r);
      trial_free(&t);
    }
}

static void add_options(trial *t, random_source *r) {
  attn_problem *p = &t->problem;
  if (random_chance(r, 0.4)) p->softcap = random_double(r, 0.5, 4);
  if (random_chance(r, 0.2)) p->scale = random_double(r, -1.5, 1.5);
  p->alignment = (attn_alignment)random_int(r, ATTN_ALIGN_TOP_LEFT, ATTN_ALIGN_BOTTOM_RIGHT);
  p->causal = random_chance(r, 0.4);
  if (random_chance(r, 0.3)) p->window_left = random_int(r, 0, p->key_length);
  if (random_chance(r, 0.4)) trial_add_key_lengths(t, r);
  if (random_chance(r, 0.4)) trial_add_mask(t, r, 0.7);
  if (random_chance(r, 0.3)) trial_add_bias(t, r, p->type == ATTN_F64 ? ATTN_F64 : ATTN_F32);
  if (random_chance(r, 0.3)) trial_add_slopes(t, r);
  if (random_chance(r, 0.3)) trial_add_sinks(t, r);
  if (random_chance(r, 0.3)) {
    p->dropout_probability = random_double(r, 0.05, 0.7);
    p->dropout_seed = random_bits(r);
  }
}

static void random_cases(random_source *r) {
  static const int64_t dims[] = {1, 3, 4, 5, 7, 8, 64, 100}, lengths[] = {0, 1, 5, 7, 16, 49, 60, 129};
  int cases = expect_cases(60);
  for (int64_t index = 0; index < cases;) {
    int64_t batch = random_int(r, 1, 2), kv_heads = random_int(r, 1, 2), heads = kv_heads * random_int(r, 1, 3);
    int64_t queries = RANDOM_OF(r, lengths), keys = RANDOM_OF(r, lengths), dim = RANDOM_OF(r, dims);
    if (batch * heads * queries * keys * dim > 60000) continue;
    attn_type type = (attn_type)random_int(r, ATTN_F32, ATTN_BF16);
    trial t = trial_make(type, batch, heads, kv_heads, queries, keys, dim, random_int(r, 1, 20), r);
    trial_add_additive(&t, r, random_chance(r, 0.5), dim > 8 ? 0.5 : 2);
    set_magnitudes(&t, random_chance(r, 0.5) ? MIXED : (int)random_int(r, 0, MAGNITUDES - 1), r);
    add_options(&t, r);
    trial_store(&t, r);
    against_oracle(&t, type <= ATTN_F64, index++, r);
    trial_free(&t);
  }
}

static trial everything(attn_type type, random_source *r) {
  trial t = trial_make(type, 2, 4, 2, 61, 150, 13, 9, r);
  trial_add_additive(&t, r, type == ATTN_F32, 2);
  set_magnitudes(&t, MIXED, r);
  t.problem.causal = true;
  t.problem.alignment = ATTN_ALIGN_BOTTOM_RIGHT;
  t.problem.softcap = 3;
  t.problem.dropout_probability = 0.2;
  t.problem.dropout_seed = 5;
  trial_add_mask(&t, r, 0.8);
  trial_add_sinks(&t, r);
  return t;
}

static void threads_and_layouts(attn_type type, const char *isa, random_source *r) {
  trial t = everything(type, r);
  trial_store(&t, NULL);
  int64_t outputs = trial_outputs(&t), rows = trial_rows(&t);
  saved s = saved_make(&t, isa, r);
  double *output = trial_numbers(outputs), *lse = trial_numbers(rows);
  gradients want = gradients_make(&t, NULL), got = gradients_like(&t, &want);
  gradients_run(&t, isa, 1, NULL, &s, &want);
  const int threads[] = {2, 3, 7, 2};
  for (int i = 0; i < 4; i++) {
    expect_context("%s %s threads %d", isa, number_type_name(type), threads[i]);
    if (i == 3) {
      free(t.stored_query), free(t.stored_key), free(t.stored_value);
      trial_store(&t, r);
    }
    trial_run(&t, isa, threads[i], r, output, lse);
    EXPECT_SAME(output, s.output, outputs);
    EXPECT_SAME(lse, s.lse, rows);
    gradients_run(&t, isa, threads[i], r, &s, &got);
    gradients_expect_same(&t, &got, &want);
  }
  gradients_free(&want), gradients_free(&got);
  saved_free(&s);
  free(output), free(lse);
  trial_free(&t);
}

/* NaN, infinity and enormous numbers in masked keys change no bit, and a masked key's gradient is 0. */
static void masked_keys(attn_type type, const char *isa, random_source *r) {
  enum { KEYS = 70, D = 6 };
  for (int by_length = 0; by_length < 2; by_length++) {
    trial t = trial_make(type, 1, 2, 1, 9, KEYS, D, 5, r);
    trial_add_additive(&t, r, false, 2);
    set_magnitudes(&t, 1, r);
    bool hidden[KEYS];
    t.mask = malloc(KEYS);
    memset(t.mask, 1, KEYS);
    t.naive.mask_strides[3] = 1;
    for (int j = 0; j < KEYS; j++) {
      hidden[j] = by_length ? j >= 33 : random_chance(r, 0.4);
      if (!by_length) t.mask[j] = !hidden[j];
    }
    if (by_length) *(t.key_lengths = malloc(sizeof *t.key_lengths)) = 33;
    trial_store(&t, NULL);
    saved s = saved_make(&t, isa, r);
    gradients want = gradients_make(&t, NULL), got = gradients_like(&t, &want);
    free(want.bias), free(got.bias);
    want.bias = got.bias = NULL;
    gradients_run(&t, isa, 1, NULL, &s, &want);
    double *output = trial_numbers(trial_outputs(&t)), *lse = trial_numbers(trial_rows(&t));
    const double spoiled[] = {NAN, INFINITY, -INFINITY, 1e4, -1e4};
    for (int n = 0; n < 5; n++) {
      expect_context("%s %s %g in keys hidden by %s", isa, number_type_name(type), spoiled[n],
                     by_length ? "length" : "mask");
      for (int j = 0; j < KEYS; j++)
        for (int d = 0; hidden[j] && d < D; d++)
          if (d % 2 == n % 2) number_set(type, t.stored_key, j * D + d, spoiled[n]);
      for (int j = 0; j < KEYS; j++)
        if (hidden[j]) number_set(type, t.stored_value, j * 5, spoiled[n]);
      trial_run(&t, isa, 1, NULL, output, lse);
      EXPECT_SAME(output, s.output, trial_outputs(&t));
      EXPECT_SAME(lse, s.lse, trial_rows(&t));
      gradients_run(&t, isa, 1, NULL, &s, &got);
      gradients_expect_same(&t, &got, &want);
      for (int j = 0; j < KEYS; j++)
        for (int d = 0; hidden[j] && d < D; d++) EXPECT(got.key[j * D + d] == 0);
    }
    gradients_free(&want), gradients_free(&got);
    saved_free(&s);
    free(output), free(lse);
    trial_free(&t);
  }
}

/* NaN in a query reaches its own row, and through it the keys that it sees, but no other query or key. */
static void spoiled_query(attn_type type, const char *isa, random_source *r) {
  enum { QUERIES = 7, KEYS = 40, D = 6, DV = 4, BAD = 3 };
  trial t = trial_make(type, 1, 1, 1, QUERIES, KEYS, D, DV, r);
  trial_add_additive(&t, r, true, 2);
  t.mask = malloc(QUERIES * KEYS);
  t.naive.mask_strides[2] = KEYS, t.naive.mask_strides[3] = 1;
  for (int n = 0; n < QUERIES * KEYS; n++) t.mask[n] = n / KEYS != BAD || n % KEYS % 2;
  trial_store(&t, NULL);
  saved s = saved_make(&t, isa, r);
  gradients want = gradients_make(&t, NULL), got = gradients_like(&t, &want);
  gradients_run(&t, isa, 1, NULL, &s, &want);
  number_set(type, t.stored_query, BAD * D + 2, NAN);
  saved spoiled = s;
  spoiled.output = trial_numbers(QUERIES * DV), spoiled.lse = trial_numbers(QUERIES);
  trial_run(&t, isa, 1, NULL, spoiled.output, spoiled.lse);
  gradients_run(&t, isa, 1, NULL, &spoiled, &got);
  for (int i = 0; i < QUERIES; i++) {
    expect_context("%s %s query %d of a problem with NaN in query %d", isa, number_type_name(type), i, BAD);
    if (i == BAD) {
      for (int d = 0; d < DV; d++) EXPECT(isnan(spoiled.output[i * DV + d]));
      continue;
    }
    EXPECT_SAME(spoiled.output + i * DV, s.output + i * DV, DV);
    EXPECT_SAME(got.query + i * D, want.query + i * D, D);
  }
  for (int j = 0; j < KEYS; j += 2) {
    expect_context("%s %s key %d, hidden from a query with NaN", isa, number_type_name(type), j);
    EXPECT_SAME(got.key + j * D, want.key + j * D, D);
    EXPECT_SAME(got.value + j * DV, want.value + j * DV, DV);
  }
  free(spoiled.output), free(spoiled.lse);
  gradients_free(&want), gradients_free(&got);
  saved_free(&s);
  trial_free(&t);
}

/* The product of four denominators stays finite, and so must that with any weight whose score is finite. */
static void large_weights(attn_type type, const char *isa, random_source *r) {
  trial t = trial_make(type, 1, 1, 1, 3, 20, 8, 2, r);
  trial_add_additive(&t, r, true, 2);
  for (int64_t d = 0; d < 8; d++) t.additive[d] = number_round(type, type == ATTN_F64 ? 1e100 : 1e12);
  for (int64_t i = 0; i < 3 * 8; i++) t.query[i] = type == ATTN_F64 ? 39 : 5.125;
  for (int64_t i = 0; i < 20 * 8; i++) t.key[i] = type == ATTN_F64 ? 39 : 5.125;
  trial_store(&t, NULL);
  tolerance allowed = tolerance_make(&t.naive, type);
  double output[3 * 2], lse[3], scores[3 * 20], weights[3 * 20];
  trial_describe(&t, isa, 0);
  trial_run(&t, isa, 1, NULL, output, lse);
  weights_of(&t, isa, lse, scores, weights);
  int i = 0;
  while (i < 3 * 20 && EXPECT_NEAR(scores[i], allowed.truth.scores[i], allowed.allowed.scores[i])) i++;
  tolerance_free(&allowed);
  trial_free(&t);
}

enum { SEQUENCES = 3, H = 4, G = 2, D = 11, DV = 7, LONGEST_Q = 57, LONGEST_K = 140 };

static const int64_t query_counts[SEQUENCES] = {5, LONGEST_Q, 30}, key_counts[SEQUENCES] = {LONGEST_K, 33, 64};

static void copy_rows(double *to, const double *from, int64_t heads, int64_t to_rows, int64_t from_rows, int64_t count,
                      int64_t dim) {
  for (int64_t h = 0; h < heads; h++)
    memcpy(to + h * to_rows * dim, from + h * from_rows * dim, (size_t)(count * dim) * sizeof *to);
}

/* Sequences alone, as rows of one batch with NaN behind their keys, and packed without gaps. */
static void sequences(attn_type type, const char *isa, bool packed, random_source *r) {
  int64_t q_starts[SEQUENCES + 1] = {0}, k_starts[SEQUENCES + 1] = {0};
  for (int b = 0; b < SEQUENCES; b++) {
    q_starts[b + 1] = q_starts[b] + (packed ? query_counts[b] : LONGEST_Q);
    k_starts[b + 1] = k_starts[b] + (packed ? key_counts[b] : LONGEST_K);
  }
  /* Packed rows are those of one long sequence in a batch of 1, as far as the arrays go. */
  int64_t blocks = packed ? 1 : SEQUENCES, q_rows = packed ? q_starts[SEQUENCES] : LONGEST_Q;
  int64_t k_rows = packed ? k_starts[SEQUENCES] : LONGEST_K;
  trial all = trial_make(type, blocks, H, G, q_rows, k_rows, D, DV, r);
  trial_add_additive(&all, r, true, 2);
  for (int64_t i = 0; i < gradients_keys(&all); i++) all.key[i] = NAN;
  for (int64_t i = 0; i < gradients_values(&all); i++) all.value[i] = NAN;
  trial alone[SEQUENCES];
  saved kept[SEQUENCES];
  gradients want[SEQUENCES];
  saved together = {trial_numbers(trial_outputs(&all)), trial_numbers(trial_rows(&all)),
                    trial_numbers(trial_outputs(&all))};
  for (int b = 0; b < SEQUENCES; b++) {
    int64_t queries = packed ? query_counts[b] : LONGEST_Q, q_at = packed ? q_starts[b] : b * H * LONGEST_Q;
    int64_t k_at = packed ? k_starts[b] : b * G * LONGEST_K;
    trial *t = &alone[b];
    *t = trial_make(type, 1, H, G, queries, key_counts[b], D, DV, r);
    trial_add_additive(t, r, true, 2);
    memcpy(t->additive, all.additive, D * sizeof(double));
    set_magnitudes(t, MIXED, r);
    t->problem.causal = true;
    t->problem.alignment = ATTN_ALIGN_TOP_LEFT;
    trial_store(t, NULL);
    kept[b] = saved_make(t, isa, r);
    want[b] = gradients_make(t, NULL);
    gradients_run(t, isa, 1, NULL, &kept[b], &want[b]);
    copy_rows(all.query + q_at * D, t->query, H, q_rows, queries, queries, D);
    copy_rows(all.key + k_at * D, t->key, G, k_rows, key_counts[b], key_counts[b], D);
    copy_rows(all.value + k_at * DV, t->value, G, k_rows, key_counts[b], key_counts[b], DV);
    copy_rows(together.output_gradient + q_at * DV, kept[b].output_gradient, H, q_rows, queries, queries, DV);
  }
  all.problem.causal = true;
  all.problem.alignment = ATTN_ALIGN_TOP_LEFT;
  if (!packed) {
    all.key_lengths = malloc(sizeof key_counts);
    memcpy(all.key_lengths, key_counts, sizeof key_counts);
  }
  trial_store(&all, NULL);
  attn_problem p = all.problem;
  p.isa = isa;
  p.threads = 2;
  if (packed) {
    p.batch = SEQUENCES, p.query_length = LONGEST_Q, p.key_length = LONGEST_K;
    p.query_starts = q_starts, p.key_starts = k_starts;
  }
  attn_type real = number_compute_type(type);
  layout q = layout_bhsd(blocks, H, q_rows, D), k = layout_bhsd(blocks, G, k_rows, D);
  layout v = layout_bhsd(blocks, G, k_rows, DV), o = layout_bhsd(blocks, H, q_rows, DV);
  layout l = layout_bhsd(blocks, H, q_rows, 1);
  void *output = layout_blank(&o, type), *lse = layout_blank(&l, real);
  void *output_gradient = layout_store(&o, type, together.output_gradient);
  void *dq = layout_blank(&q, type), *dk = layout_blank(&k, type), *dv = layout_blank(&v, type);
  attn_output o_view = layout_output(&o, type, output), l_view = layout_output(&l, real, lse);
  expect_context("%s %s %s", isa, number_type_name(type), packed ? "packed" : "padded");
  EXPECT_INT(attn_forward(&p, &o_view, &l_view), ATTN_OK);
  attn_input o_read = layout_input(&o, type, output), l_read = layout_input(&l, real, lse);
  attn_input do_read = layout_input(&o, type, output_gradient);
  attn_gradients to = {
      .query = layout_output(&q, type, dq), .key = layout_output(&k, type, dk), .value = layout_output(&v, type, dv)};
  EXPECT_INT(attn_backward(&p, &o_read, &l_read, &do_read, &to), ATTN_OK);
  gradients got = {trial_numbers(gradients_queries(&all)), trial_numbers(gradients_keys(&all)),
                   trial_numbers(gradients_values(&all)), .bias = NULL};
  layout_load(&o, type, output, together.output);
  layout_load(&l, real, lse, together.lse);
  layout_load(&q, type, dq, got.query);
  layout_load(&k, type, dk, got.key);
  layout_load(&v, type, dv, got.value);
  for (int b = 0; b < SEQUENCES; b++) {
    int64_t queries = packed ? query_counts[b] : LONGEST_Q, keys = key_counts[b];
    expect_context("%s %s %s sequence %d", isa, number_type_name(type), packed ? "packed" : "padded", b);
    for (int64_t h = 0; h < H; h++) {
      int64_t at = packed ? h * q_rows + q_starts[b] : (b * H + h) * q_rows;
      EXPECT_SAME(together.output + at * DV, kept[b].output + h * queries * DV, queries * DV);
      EXPECT_SAME(together.lse + at, kept[b].lse + h * queries, queries);
      EXPECT_SAME(got.query + at * D, want[b].query + h * queries * D, queries * D);
    }
    for (int64_t g = 0; g < G; g++) {
      int64_t at = packed ? g * k_rows + k_starts[b] : (b * G + g) * k_rows;
      EXPECT_SAME(got.key + at * D, want[b].key + g * keys * D, keys * D);
      EXPECT_SAME(got.value + at * DV, want[b].value + g * keys * DV, keys * DV);
    }
    gradients_free(&want[b]);
    saved_free(&kept[b]);
    trial_free(&alone[b]);
  }
  gradients_free(&got);
  saved_free(&together);
  free(output), free(lse), free(output_gradient), free(dq), free(dk), free(dv);
  trial_free(&all);
}

/* Scratch is that of tiles: megabytes where [B, Sq, Sk, D] would be two gigabytes, and no more for longer sequences. */
static void scratch(void) {
  static const float w[256];
  int64_t bytes[2];
  for (int i = 0; i < 2; i++) {
    int64_t length = i ? 8192 : 512;
    attn_problem p = attn_problem_init(ATTN_F32, 8, 1, 1, length, length, 256, 256);
    p.additive = w;
    p.threads = 1;
    attn_plan_info info;
    expect_context("scratch of length %d", (int)length);
    EXPECT_INT(attn_plan_forward(&p, &info), ATTN_OK);
    bytes[i] = info.scratch_bytes;
    p.threads = 2;
    EXPECT_INT(attn_plan_forward(&p, &info), ATTN_OK);
    EXPECT(info.scratch_bytes <= 2 * bytes[i]);
  }
  /* Seven arrays of item_rows and four of block_keys vectors of 256 floats, at most 16 * 48 rows and 128 keys. */
  EXPECT(bytes[0] <= (int64_t)(7 * 16 * 48 + 4 * 128) * 256 * 4);
  EXPECT(bytes[1] <= (int64_t)(7 * 16 * 48 + 4 * 128) * 256 * 4);
}

static void statuses(void) {
  enum { HEADS = 2, S = 3, DIM = 4 };
  static float x[3][HEADS * S * DIM], w[HEADS * DIM], o[HEADS * S * DIM], lse[HEADS * S], o_gradient[HEADS * S * DIM];
  static struct { float query[HEADS * S * DIM], key[HEADS * S * DIM], additive[HEADS * DIM]; } to;
  attn_problem p = attn_problem_init(ATTN_F32, 1, HEADS, HEADS, S, S, DIM, DIM);
  p.query.data = x[0], p.key.data = x[1], p.value.data = x[2];
  p.threads = 1;
  attn_input output = attn_input_bhsd(o, HEADS, S, DIM), lse_view = attn_input_bhsd(lse, HEADS, S, 1);
  attn_input output_gradient = attn_input_bhsd(o_gradient, HEADS, S, DIM);
  attn_gradients wanted = {.query = attn_output_bhsd(to.query, HEADS, S, DIM), .additive = to.additive};
  memset(&to, 0xA5, sizeof to);
  expect_context("gradients.additive of dot-product scores");
  EXPECT_INT(attn_backward(&p, &output, &lse_view, &output_gradient, &wanted), ATTN_ERROR_NULL_POINTER);
  EXPECT_CONTAINS(attn_error_message(), "gradients.additive");

  p.additive = w;
  p.additive_stride_head = DIM;
  const struct {
    void *at;
    const char *name;
  } overlaps[] = {{x[1], "key"}, {o, "output"}, {lse, "lse"}, {to.query + 1, "gradients.query"}, {w, "additive"}};
  for (int i = 0; i < 5; i++) {
    expect_context("gradients.additive over %s", overlaps[i].name);
    wanted.additive = overlaps[i].at;
    EXPECT_INT(attn_backward(&p, &output, &lse_view, &output_gradient, &wanted), ATTN_ERROR_OVERLAP);
    EXPECT_CONTAINS(attn_error_message(), overlaps[i].name);
  }
  expect_context("gradients.additive over itself");
  wanted.additive = to.additive;
  p.additive_stride_head = DIM - 1;
  EXPECT_INT(attn_backward(&p, &output, &lse_view, &output_gradient, &wanted), ATTN_ERROR_OVERLAP);
  EXPECT_CONTAINS(attn_error_message(), "gradients.additive");
  bool blank = true;
  for (size_t i = 0; i < sizeof to; i++) blank = blank && ((uint8_t *)&to)[i] == 0xA5;
  EXPECT(blank);

  expect_context("an output over the additive vector");
  p.additive = o;
  attn_output over = attn_output_bhsd(o, HEADS, S, DIM);
  EXPECT_INT(attn_forward(&p, &over, NULL), ATTN_ERROR_OVERLAP);
}

int main(void) {
  random_source r = {expect_seed()};
  dimensions(&r);
  every_magnitude(&r);
  random_cases(&r);
  for (int isa = 0; isa < attn_isa_count(); isa++) {
    if (!attn_isa_available(isa)) continue;
    const char *name = attn_isa_name(isa);
    for (int type = ATTN_F32; type <= ATTN_BF16; type++) {
      threads_and_layouts((attn_type)type, name, &r);
      masked_keys((attn_type)type, name, &r);
      spoiled_query((attn_type)type, name, &r);
      sequences((attn_type)type, name, true, &r);
      sequences((attn_type)type, name, false, &r);
    }
    large_weights(ATTN_F32, name, &r);
    large_weights(ATTN_F64, name, &r);
  }
  scratch();
  statuses();
  return expect_finish();
}
