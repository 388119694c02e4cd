/* The bits of gradients do not depend on threads, batch size, place in the batch, padding, packing or layout. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backward.h"
#include "expect.h"
#include "gradients.h"
#include "number.h"

/* Whether the work is split by whole streams at this number of threads. */
static bool by_stream(const trial *t, const char *isa, int threads) {
  attn_problem p = t->problem;
  attn_backward_plan plan;
  p.isa = isa;
  p.threads = threads;
  EXPECT_INT(attn_backward_plan_make(&p, &plan), ATTN_OK);
  return plan.split == ATTN_BY_STREAM;
}

static trial everything(attn_type type, int64_t batch, int64_t kv_heads, random_source *r) {
  trial t = trial_make(type, batch, 2 * kv_heads, kv_heads, 131, 203, 40, 24, r);
  t.problem.causal = true;
  t.problem.alignment = ATTN_ALIGN_OFFSETS;
  t.problem.window_left = 90;
  t.problem.softcap = 3;
  t.problem.dropout_probability = 0.2;
  t.problem.dropout_seed = 77;
  trial_add_query_offsets(&t, r);
  trial_add_key_lengths(&t, r);
  trial_add_mask(&t, r, 0.7);
  trial_add_bias(&t, r, type == ATTN_F64 ? ATTN_F64 : ATTN_BF16);
  trial_add_slopes(&t, r);
  trial_add_sinks(&t, r);
  return t;
}

static trial plain(attn_type type, int64_t batch, int64_t kv_heads, random_source *r) {
  return trial_make(type, batch, 3 * kv_heads, kv_heads, 150, 260, 33, 70, r);
}

/* By streams at one thread, in other ways at three. */
static void threads_and_layouts(trial t, const char *isa, random_source *r) {
  trial_store(&t, NULL);
  saved s = saved_make(&t, isa, r);
  gradients want = gradients_make(&t, r), got = gradients_like(&t, &want);
  const char *type = number_type_name(t.problem.type);
  int streams = (int)(t.problem.batch * t.problem.kv_heads);
  gradients_run(&t, isa, 1, NULL, &s, &want);
  EXPECT(by_stream(&t, isa, 1));
  EXPECT(!by_stream(&t, isa, 3));
  const int threads[] = {2, 3, 7, 0};
  for (int i = 0; i < 4; i++) {
    gradients_run(&t, isa, threads[i], NULL, &s, &got);
    expect_context("%s %s %d streams threads %d", isa, type, streams, threads[i]);
    gradients_expect_same(&t, &got, &want);
  }
  for (int i = 0; i < 4; i++) {
    free(t.stored_query), free(t.stored_key), free(t.stored_value);
    trial_store(&t, r);
    gradients_run(&t, isa, i + 1, r, &s, &got);
    expect_context("%s %s %d streams random layout %d", isa, type, streams, i);
    gradients_expect_same(&t, &got, &want);
  }
  /* What is not asked for changes nothing of the rest. */
  for (int alone = 0; alone < 5; alone++) {
    gradients one = gradients_like(&t, &want);
    double **each[] = {&one.query, &one.key, &one.value, &one.bias, &one.sinks};
    for (int i = 0; i < 5; i++)
      if (i != alone) free(*each[i]), *each[i] = NULL;
    for (int n = 1; n <= 3; n += 2) {
      gradients_run(&t, isa, n, NULL, &s, &one);
      expect_context("%s %s %d streams gradient %d alone, threads %d", isa, type, streams, alone, n);
      gradients_expect_same(&t, &one, &want);
      EXPECT(true);
    }
    gradients_free(&one);
  }
  gradients_free(&want), gradients_free(&got);
  saved_free(&s);
  trial_free(&t);
}

/* All arrays in one dense layout, through the header's own helpers. */
static void bhsd_and_bshd(const char *isa, random_source *r) {
  enum { B = 2, H = 3, S = 70, D = 20, N = B * H * S * D };
  trial t = trial_make(ATTN_F32, B, H, H, S, S, D, D, r);
  trial_store(&t, NULL);
  saved s = saved_make(&t, isa, r);
  layout layouts[2] = {layout_bhsd(B, H, S, D), layout_bshd(B, H, S, D)};
  layout lse_layouts[2] = {layout_bhsd(B, H, S, 1), layout_bshd(B, H, S, 1)};
  double *dense[2][3];
  for (int form = 0; form < 2; form++) {
    const layout *l = &layouts[form];
    const double *numbers[5] = {t.query, t.key, t.value, s.output, s.output_gradient};
    attn_input views[5], (*view)(const void *, int64_t, int64_t, int64_t) = form ? attn_input_bshd : attn_input_bhsd;
    attn_output (*to)(void *, int64_t, int64_t, int64_t) = form ? attn_output_bshd : attn_output_bhsd;
    void *stored[5], *lse = layout_store(&lse_layouts[form], ATTN_F32, s.lse), *results[3];
    for (int i = 0; i < 5; i++) views[i] = view(stored[i] = layout_store(l, ATTN_F32, numbers[i]), H, S, D);
    for (int i = 0; i < 3; i++) results[i] = layout_blank(l, ATTN_F32);
    attn_problem p = t.problem;
    p.isa = isa;
    p.query = views[0], p.key = views[1], p.value = views[2];
    attn_input lse_view = view(lse, H, S, 1);
    attn_gradients g = {.query = to(results[0], H, S, D), .key = to(results[1], H, S, D),
                        .value = to(results[2], H, S, D)};
    EXPECT_INT(attn_backward(&p, &views[3], &lse_view, &views[4], &g), ATTN_OK);
    for (int i = 0; i < 3; i++) {
      layout_load(l, ATTN_F32, results[i], dense[form][i] = trial_numbers(N));
      free(results[i]);
    }
    for (int i = 0; i < 5; i++) free(stored[i]);
    free(lse);
  }
  for (int i = 0; i < 3; i++) {
    expect_context("%s BHSD and BSHD, gradient %d", isa, i);
    EXPECT_SAME(dense[1][i], dense[0][i], N);
    free(dense[0][i]), free(dense[1][i]);
  }
  saved_free(&s);
  trial_free(&t);
}

/* Batch row b of a batch against the same row as a batch of its own. */
static void place_in_batch(attn_type type, const char *isa, random_source *r) {
  enum { B = 4 };
  trial t = trial_make(type, B, 2, 1, 50, 140, 33, 17, r);
  t.problem.causal = true;
  t.problem.alignment = ATTN_ALIGN_BOTTOM_RIGHT;
  trial_store(&t, NULL);
  saved s = saved_make(&t, isa, r);
  gradients all = gradients_make(&t, NULL);
  gradients_run(&t, isa, 2, NULL, &s, &all);
  int64_t bytes = number_bytes(type), queries = gradients_queries(&t) / B, keys = gradients_keys(&t) / B;
  int64_t values = gradients_values(&t) / B, pairs = trial_pairs(&t) / B, outputs = trial_outputs(&t) / B;
  int64_t rows = trial_rows(&t) / B;
  attn_problem p = t.problem;
  t.problem.batch = 1;
  for (int64_t b = 0; b < B; b++) {
    t.problem.query.data = (const char *)p.query.data + b * p.query.stride_batch * bytes;
    t.problem.key.data = (const char *)p.key.data + b * p.key.stride_batch * bytes;
    t.problem.value.data = (const char *)p.value.data + b * p.value.stride_batch * bytes;
    saved one = {s.output + b * outputs, s.lse + b * rows, s.output_gradient + b * outputs};
    gradients alone = gradients_make(&t, NULL);
    gradients_run(&t, isa, (int)b + 1, r, &one, &alone);
    expect_context("%s %s batch row %d", isa, number_type_name(type), (int)b);
    gradients part = {all.query + b * queries, all.key + b * keys, all.value + b * values, all.bias + b * pairs, NULL,
                      {0}, 0, NULL};
    gradients_expect_same(&t, &alone, &part);
    gradients_free(&alone);
  }
  gradients_free(&all);
  saved_free(&s);
  trial_free(&t);
}

enum { B = 5, H = 4, G = 2, D = 24, DV = 19, LONGEST_Q = 140, LONGEST_K = 201 };
static const int64_t queries[B] = {3, 140, 0, 49, 77}, keys[B] = {201, 140, 60, 0, 129};

/* Sequences each on its own, and what each way of batching must repeat. */
typedef struct sequences {
  attn_type type;
  const char *isa;
  int variant;
  trial alone[B];
  saved saved[B];
  gradients gradients[B];
} sequences;

static attn_problem options(int variant, attn_type type) {
  attn_problem p = attn_problem_init(type, B, H, G, LONGEST_Q, LONGEST_K, D, DV);
  p.causal = variant > 0;
  p.alignment = variant == 1 ? ATTN_ALIGN_TOP_LEFT : ATTN_ALIGN_BOTTOM_RIGHT;
  if (variant == 2) p.window_left = 50;
  return p;
}

/* One array of every sequence, packed (`front` rows before the first) or padded; what belongs to none is NaN. */
typedef enum part { QUERY, KEY, VALUE, OUTPUT, LSE, OUTPUT_GRADIENT, PARTS } part;
static const int64_t part_heads[PARTS] = {H, G, G, H, H, H}, part_dim[PARTS] = {D, D, DV, DV, 1, DV};

static const double *part_of(const sequences *s, part which, int b) {
  const double *parts[PARTS] = {s->alone[b].query, s->alone[b].key,   s->alone[b].value, s->saved[b].output,
                                s->saved[b].lse,   s->saved[b].output_gradient};
  return parts[which];
}

static bool of_keys(part which) { return which == KEY || which == VALUE; }

static layout part_layout(part which, const int64_t *starts) {
  int64_t longest = of_keys(which) ? LONGEST_K : LONGEST_Q;
  return starts ? layout_bshd(1, part_heads[which], starts[B], part_dim[which])
                : layout_bhsd(B, part_heads[which], longest, part_dim[which]);
}

/* The row of a layout where row i of sequence b stands. */
static int64_t row_at(const layout *l, const int64_t *starts, int b, int64_t h, int64_t i) {
  return layout_at(l, starts ? 0 : b, h, starts ? starts[b] + i : i, 0);
}

static attn_input gather(const sequences *s, part which, const int64_t *starts, void **buffer) {
  layout l = part_layout(which, starts);
  attn_type type = which == LSE ? number_compute_type(s->type) : s->type;
  const int64_t *counts = of_keys(which) ? keys : queries, dim = part_dim[which];
  *buffer = malloc((size_t)(l.elements * number_bytes(type)));
  memset(*buffer, 0xFF, (size_t)(l.elements * number_bytes(type)));
  /* A padding row attends to keys, so that its numbers count: they are 0, as is what the loss takes of them. */
  for (int64_t i = 0; i < l.elements && !starts && !of_keys(which); i++) number_set(type, *buffer, i, 0);
  for (int b = 0; b < B; b++)
    for (int64_t h = 0; h < part_heads[which]; h++)
      for (int64_t i = 0; i < counts[b]; i++)
        for (int64_t d = 0; d < dim; d++)
          number_set(type, *buffer, row_at(&l, starts, b, h, i) + d,
                     part_of(s, which, b)[(h * counts[b] + i) * dim + d]);
  return layout_input(&l, type, *buffer);
}

/* Query starts and key starts, or null for padded: then lengths are by key_lengths, and the offsets of the bottom-right
 * alignment are given. Rows of queries behind a padded sequence's own are kept from attending by the mask. */
static void batched(const sequences *s, const int64_t *query_starts, const int64_t *key_starts, int threads,
                    const char *form) {
  attn_problem p = options(s->variant, s->type);
  int64_t offsets[B];
  void *stored[PARTS], *results[3];
  attn_input views[PARTS];
  for (int which = 0; which < PARTS; which++)
    views[which] = gather(s, (part)which, of_keys((part)which) ? key_starts : query_starts, &stored[which]);
  uint8_t *mask = NULL;
  if (query_starts) {
    p.query_starts = query_starts;
    p.key_starts = key_starts;
  } else {
    for (int b = 0; b < B; b++) offsets[b] = p.alignment == ATTN_ALIGN_BOTTOM_RIGHT ? keys[b] - queries[b] : 0;
    p.alignment = ATTN_ALIGN_OFFSETS;
    p.query_offsets = offsets;
    p.key_lengths = keys;
    mask = calloc(B * LONGEST_Q, 1);
    for (int b = 0; b < B; b++) memset(mask + b * LONGEST_Q, 1, (size_t)queries[b]);
    p.mask = (attn_mask){mask, LONGEST_Q, 0, 1, 0};
    /* Those rows hold what attn_forward would have written. */
    for (int b = 0; b < B; b++)
      for (int64_t h = 0; h < H; h++)
        for (int64_t i = queries[b]; i < LONGEST_Q; i++)
          number_set(number_compute_type(s->type), stored[LSE], (b * H + h) * LONGEST_Q + i, -INFINITY);
  }
  p.query = views[QUERY], p.key = views[KEY], p.value = views[VALUE];
  p.isa = s->isa;
  p.threads = threads;
  const part shapes[3] = {QUERY, KEY, VALUE};
  layout layouts[3];
  attn_output to[3];
  for (int i = 0; i < 3; i++) {
    layouts[i] = part_layout(shapes[i], of_keys(shapes[i]) ? key_starts : query_starts);
    results[i] = layout_blank(&layouts[i], s->type);
    to[i] = layout_output(&layouts[i], s->type, results[i]);
  }
  attn_gradients g = {.query = to[0], .key = to[1], .value = to[2]};
  expect_context("%s %s options %d %s threads %d", s->isa, number_type_name(s->type), s->variant, form, threads);
  EXPECT_INT(attn_backward(&p, &views[OUTPUT], &views[LSE], &views[OUTPUT_GRADIENT], &g), ATTN_OK);
  for (int i = 0; i < 3; i++) {
    const int64_t *starts = i ? key_starts : query_starts, *counts = i ? keys : queries, dim = part_dim[shapes[i]];
    for (int b = 0; b < B; b++) {
      const gradients *want = &s->gradients[b];
      const double *numbers[3] = {want->query, want->key, want->value};
      double *got = trial_numbers(part_heads[shapes[i]] * counts[b] * dim);
      for (int64_t h = 0; h < part_heads[shapes[i]]; h++)
        for (int64_t n = 0; n < counts[b]; n++)
          for (int64_t d = 0; d < dim; d++)
            got[(h * counts[b] + n) * dim + d] =
                number_get(s->type, results[i], row_at(&layouts[i], starts, b, h, n) + d);
      expect_context("%s %s options %d %s threads %d sequence %d gradient %d", s->isa, number_type_name(s->type),
                     s->variant, form, threads, b, i);
      EXPECT_SAME(got, numbers[i], part_heads[shapes[i]] * counts[b] * dim);
      free(got);
      /* Padding has a gradient of 0. */
      for (int64_t h = 0; !starts && h < part_heads[shapes[i]]; h++)
        for (int64_t n = counts[b]; n < layouts[i].rows; n++)
          for (int64_t d = 0; d < dim; d++)
            EXPECT(number_get(s->type, results[i], row_at(&layouts[i], NULL, b, h, n) + d) == 0);
    }
    /* Rows in front of the first sequence are no one's. */
    if (starts)
      for (int64_t byte = 0; byte < starts[0] * layouts[i].stride_row * number_bytes(s->type); byte++)
        EXPECT_INT(((uint8_t *)results[i])[byte], 0xA5);
    free(results[i]);
  }
  for (int which = 0; which < PARTS; which++) free(stored[which]);
  free(mask);
}

static void all_forms(attn_type type, const char *isa, int variant, random_source *r) {
  sequences s = {.type = type, .isa = isa, .variant = variant};
  attn_problem p = options(variant, type);
  for (int b = 0; b < B; b++) {
    trial *t = &s.alone[b];
    *t = trial_make(type, 1, H, G, queries[b], keys[b], D, DV, r);
    t->problem.causal = p.causal;
    t->problem.alignment = p.alignment;
    t->problem.window_left = p.window_left;
    trial_store(t, NULL);
    s.saved[b] = saved_make(t, isa, r);
    s.gradients[b] = gradients_make(t, NULL);
    gradients_run(t, isa, 1, NULL, &s.saved[b], &s.gradients[b]);
  }
  for (int64_t front = 0; front <= 3; front += 3) {
    int64_t query_starts[B + 1] = {front}, key_starts[B + 1] = {front};
    for (int b = 0; b < B; b++) {
      query_starts[b + 1] = query_starts[b] + queries[b];
      key_starts[b + 1] = key_starts[b] + keys[b];
    }
    batched(&s, query_starts, key_starts, 1, "packed");
    batched(&s, query_starts, key_starts, 64, "packed");
  }
  batched(&s, NULL, NULL, 1, "padded");
  batched(&s, NULL, NULL, 64, "padded");
  for (int b = 0; b < B; b++) {
    gradients_free(&s.gradients[b]);
    saved_free(&s.saved[b]);
    trial_free(&s.alone[b]);
  }
}

int main(void) {
  random_source r = {expect_seed()};
  for (int i = 0; i < attn_isa_count(); i++) {
    if (!attn_isa_available(i)) continue;
    const char *isa = attn_isa_name(i);
    for (int type = ATTN_F32; type <= ATTN_BF16; type++) {
      threads_and_layouts(everything((attn_type)type, 2, 2, &r), isa, &r);
      threads_and_layouts(everything((attn_type)type, 1, 1, &r), isa, &r);
      threads_and_layouts(plain((attn_type)type, 1, 1, &r), isa, &r);
      place_in_batch((attn_type)type, isa, &r);
      for (int variant = 0; variant < 3; variant++) all_forms((attn_type)type, isa, variant, &r);
    }
    bhsd_and_bshd(isa, &r);
  }
  return expect_finish();
}
