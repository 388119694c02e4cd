#include "trial.h"

#include <stdio.h>
#include <stdlib.h>

#include "expect.h"
#include "number.h"

double *trial_numbers(int64_t count) { return calloc((size_t)(count > 0 ? count : 1), sizeof(double)); }

static double *uniform(random_source *r, attn_type type, int64_t count, double low, double high) {
  double *numbers = trial_numbers(count);
  for (int64_t i = 0; i < count; i++) numbers[i] = number_round(type, random_double(r, low, high));
  return numbers;
}

trial trial_make(attn_type type, int64_t batch, int64_t heads, int64_t kv_heads, int64_t queries, int64_t keys,
                 int64_t dim, int64_t value_dim, random_source *r) {
  trial t = {.problem = attn_problem_init(type, batch, heads, kv_heads, queries, keys, dim, value_dim)};
  t.query = uniform(r, type, batch * heads * queries * dim, -1, 1);
  t.key = uniform(r, type, batch * kv_heads * keys * dim, -1, 1);
  t.value = uniform(r, type, batch * kv_heads * keys * value_dim, -1, 1);
  return t;
}

/* Row-major strides over a random subset of the axes; returns the number of elements. */
static int64_t broadcast(const trial *t, random_source *r, int64_t strides[4]) {
  const int64_t sizes[4] = {t->problem.batch, t->problem.query_heads, t->problem.query_length, t->problem.key_length};
  int64_t elements = 1;
  for (int axis = 3; axis >= 0; axis--) {
    strides[axis] = random_chance(r, 0.3) ? 0 : elements;
    if (strides[axis]) elements *= sizes[axis];
    if (elements == 0) elements = 1;
  }
  return elements;
}

void trial_add_mask(trial *t, random_source *r, double visible) {
  int64_t elements = broadcast(t, r, t->naive.mask_strides);
  t->mask = malloc((size_t)elements);
  for (int64_t i = 0; i < elements; i++) t->mask[i] = random_chance(r, visible) ? (uint8_t)random_int(r, 1, 255) : 0;
}

void trial_add_bias(trial *t, random_source *r, attn_type type) {
  int64_t elements = broadcast(t, r, t->naive.bias_strides);
  t->bias_type = type;
  t->bias = uniform(r, type, elements, -3, 3);
  t->stored_bias = malloc((size_t)(elements * number_bytes(type)));
  for (int64_t i = 0; i < elements; i++) number_set(type, t->stored_bias, i, t->bias[i]);
}

static void *store_heads(const trial *t, const double *numbers) {
  attn_type type = number_compute_type(t->problem.type);
  void *stored = malloc((size_t)(t->problem.query_heads * number_bytes(type)));
  for (int64_t h = 0; h < t->problem.query_heads; h++) number_set(type, stored, h, numbers[h]);
  return stored;
}

void trial_add_slopes(trial *t, random_source *r) {
  t->slopes = uniform(r, number_compute_type(t->problem.type), t->problem.query_heads, 0, 0.5);
  t->stored_slopes = store_heads(t, t->slopes);
}

void trial_add_sinks(trial *t, random_source *r) {
  t->sinks = uniform(r, number_compute_type(t->problem.type), t->problem.query_heads, -3, 3);
  t->stored_sinks = store_heads(t, t->sinks);
}

void trial_add_additive(trial *t, random_source *r, bool shared, double size) {
  attn_problem *p = &t->problem;
  t->naive.additive_stride = shared ? 0 : p->head_dim;
  t->additive = uniform(r, number_compute_type(p->type), (shared ? 1 : p->query_heads) * p->head_dim, -size, size);
  p->scale = 1;
}

/* With r there are gaps of NaN between the heads. */
static void store_additive(trial *t, random_source *r) {
  attn_problem *p = &t->problem;
  if (!t->additive) return;
  layout l = layout_bhsd(1, t->naive.additive_stride ? p->query_heads : 1, 1, p->head_dim);
  if (r) {
    l.stride_head += 3;
    l.elements = (l.heads - 1) * l.stride_head + l.dim;
  }
  free(t->stored_additive);
  p->additive = t->stored_additive = layout_store(&l, number_compute_type(p->type), t->additive);
  p->additive_stride_head = t->naive.additive_stride ? l.stride_head : 0;
}

static int64_t *integers(random_source *r, int64_t count, int64_t low, int64_t high) {
  int64_t *numbers = malloc((size_t)(count + 1) * sizeof *numbers);
  for (int64_t i = 0; i < count; i++) numbers[i] = random_int(r, low, high);
  return numbers;
}

void trial_add_key_lengths(trial *t, random_source *r) {
  t->key_lengths = integers(r, t->problem.batch, 0, t->problem.key_length);
}

void trial_add_query_offsets(trial *t, random_source *r) {
  t->query_offsets = integers(r, t->problem.batch, -t->problem.query_length, t->problem.key_length);
}

void trial_store(trial *t, random_source *r) {
  attn_problem *p = &t->problem;
  layout q = layout_bhsd(p->batch, p->query_heads, p->query_length, p->head_dim);
  layout k = layout_bhsd(p->batch, p->kv_heads, p->key_length, p->head_dim);
  layout v = layout_bhsd(p->batch, p->kv_heads, p->key_length, p->value_dim);
  if (r) {
    q = layout_random(r, q.batch, q.heads, q.rows, q.dim, 0);
    k = layout_random(r, k.batch, k.heads, k.rows, k.dim, 0);
    v = layout_random(r, v.batch, v.heads, v.rows, v.dim, 0);
  }
  p->query = layout_input(&q, p->type, t->stored_query = layout_store(&q, p->type, t->query));
  p->key = layout_input(&k, p->type, t->stored_key = layout_store(&k, p->type, t->key));
  p->value = layout_input(&v, p->type, t->stored_value = layout_store(&v, p->type, t->value));
  store_additive(t, r);
  const int64_t *m = t->naive.mask_strides, *b = t->naive.bias_strides;
  if (t->mask) p->mask = (attn_mask){t->mask, m[0], m[1], m[2], m[3]};
  if (t->bias) p->bias = (attn_bias){t->stored_bias, t->bias_type, b[0], b[1], b[2], b[3]};
  p->alibi_slopes = t->stored_slopes;
  p->sinks = t->stored_sinks;
  p->key_lengths = t->key_lengths;
  p->query_offsets = t->query_offsets;

  naive_problem *n = &t->naive;
  n->batch = p->batch, n->heads = p->query_heads, n->kv_heads = p->kv_heads;
  n->queries = p->query_length, n->keys = p->key_length, n->dim = p->head_dim, n->value_dim = p->value_dim;
  n->query = t->query, n->key = t->key, n->value = t->value;
  n->additive = t->additive;
  n->scale = p->scale, n->softcap = p->softcap;
  n->alignment = p->alignment, n->query_offset = p->query_offset, n->query_offsets = t->query_offsets;
  n->causal = p->causal, n->window_left = p->window_left, n->window_right = p->window_right;
  n->key_lengths = t->key_lengths, n->mask = t->mask, n->bias = t->bias;
  n->slopes = t->slopes, n->sinks = t->sinks;
  n->dropout_probability = p->dropout_probability, n->dropout_seed = p->dropout_seed;
}

static const int64_t dims[] = {1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 80, 96, 127, 128, 129, 256, 300, 512};
static const int64_t lengths[] = {0, 1, 5, 6, 7, 47, 48, 49, 127, 128, 129, 200, 257};

static trial random_shape(random_source *r, double most_work) {
  for (;;) {
    int64_t batch = random_int(r, 1, 3), kv_heads = random_int(r, 1, 3), group = random_int(r, 1, 4);
    int64_t queries = RANDOM_OF(r, lengths), keys = RANDOM_OF(r, lengths);
    int64_t dim = RANDOM_OF(r, dims), value_dim = random_chance(r, 0.5) ? dim : RANDOM_OF(r, dims);
    double work = (double)(batch * kv_heads * group * queries) * (double)(keys * (dim + value_dim));
    attn_type type = (attn_type)random_int(r, ATTN_F32, ATTN_BF16);
    if (work > most_work) continue;
    return trial_make(type, batch, kv_heads * group, kv_heads, queries, keys, dim, value_dim, r);
  }
}

static void random_options(trial *t, random_source *r) {
  attn_problem *p = &t->problem;
  if (random_chance(r, 0.3)) {
    const double scales[] = {0, -0.3, 1, 0.01, -1.5};
    p->scale = scales[random_int(r, 0, 4)];
  }
  if (random_chance(r, 0.25)) p->softcap = random_double(r, 0.2, 5);
  p->alignment = (attn_alignment)random_int(r, ATTN_ALIGN_SQUARE, ATTN_ALIGN_OFFSETS);
  p->query_offset = random_int(r, -p->query_length, p->key_length);
  if (p->alignment == ATTN_ALIGN_OFFSETS) trial_add_query_offsets(t, r);
  bool square = p->alignment == ATTN_ALIGN_SQUARE && p->query_length != p->key_length;
  p->causal = !square && random_chance(r, 0.4);
  if (random_chance(r, 0.3)) p->window_left = random_int(r, 0, p->key_length);
  if (random_chance(r, 0.3)) p->window_right = random_int(r, 0, p->key_length);
  if (random_chance(r, 0.3)) trial_add_key_lengths(t, r);
  if (random_chance(r, 0.3)) trial_add_mask(t, r, random_chance(r, 0.5) ? 0.1 : 0.8);
  if (random_chance(r, 0.3)) {
    const int64_t types[] = {ATTN_F32, ATTN_F16, ATTN_BF16};
    trial_add_bias(t, r, p->type == ATTN_F64 ? ATTN_F64 : (attn_type)RANDOM_OF(r, types));
  }
  if (random_chance(r, 0.25)) trial_add_slopes(t, r);
  if (random_chance(r, 0.25)) trial_add_sinks(t, r);
  if (random_chance(r, 0.2)) {
    p->dropout_probability = random_double(r, 0.05, 0.9);
    p->dropout_seed = random_bits(r);
  }
}

trial trial_random(random_source *r, double most_work) {
  trial t = random_shape(r, most_work);
  random_options(&t, r);
  trial_store(&t, r);
  return t;
}

void trial_free(trial *t) {
  free(t->query), free(t->key), free(t->value), free(t->bias), free(t->slopes), free(t->sinks), free(t->mask);
  free(t->query_offsets), free(t->key_lengths);
  free(t->stored_query), free(t->stored_key), free(t->stored_value);
  free(t->stored_bias), free(t->stored_slopes), free(t->stored_sinks), free(t->stored_additive), free(t->additive);
}

int64_t trial_rows(const trial *t) { return t->problem.batch * t->problem.query_heads * t->problem.query_length; }
int64_t trial_outputs(const trial *t) { return trial_rows(t) * t->problem.value_dim; }
int64_t trial_pairs(const trial *t) { return trial_rows(t) * t->problem.key_length; }

void trial_run(const trial *t, const char *isa, int threads, random_source *r, double *output, double *lse) {
  attn_problem p = t->problem;
  const int64_t guard = 67;
  attn_type real = number_compute_type(p.type);
  layout o = layout_bhsd(p.batch, p.query_heads, p.query_length, p.value_dim);
  layout l = layout_bhsd(p.batch, p.query_heads, p.query_length, 1);
  if (r) {
    o = layout_random(r, o.batch, o.heads, o.rows, o.dim, guard);
    l = layout_random(r, l.batch, l.heads, l.rows, l.dim, guard);
  }
  void *o_buffer = layout_blank(&o, p.type), *l_buffer = layout_blank(&l, real);
  attn_output o_view = layout_output(&o, p.type, o_buffer), l_view = layout_output(&l, real, l_buffer);
  p.isa = isa;
  p.threads = threads;
  if (!EXPECT_INT(attn_forward(&p, &o_view, lse ? &l_view : NULL), ATTN_OK)) printf("  %s\n", attn_error_message());
  EXPECT(layout_untouched(&o, p.type, o_buffer, false));
  EXPECT(layout_untouched(&l, real, l_buffer, !lse));
  layout_load(&o, p.type, o_buffer, output);
  if (lse) layout_load(&l, real, l_buffer, lse);
  free(o_buffer);
  free(l_buffer);
}

attn_status trial_weights(const attn_problem *problem, const void *lse, void *scores, void *weights) {
  attn_weights_request request = {.scores = scores, .weights = weights};
  return attn_weights(problem, lse, &request);
}

void trial_describe(const trial *t, const char *isa, int64_t index) {
  const attn_problem *p = &t->problem;
  expect_context(
      "case %lld %s %s B%lld H%lld G%lld Sq%lld Sk%lld D%lld Dv%lld scale %g cap %g causal %d align %d offset %lld "
      "window %lld,%lld lengths %d mask %d bias %d alibi %d sinks %d additive %d dropout %g",
      (long long)index, isa, number_type_name(p->type), (long long)p->batch, (long long)p->query_heads,
      (long long)p->kv_heads, (long long)p->query_length, (long long)p->key_length, (long long)p->head_dim,
      (long long)p->value_dim, p->scale, p->softcap, p->causal, (int)p->alignment, (long long)p->query_offset,
      (long long)p->window_left, (long long)p->window_right, t->key_lengths != NULL, t->mask != NULL, t->bias != NULL,
      t->slopes != NULL, t->sinks != NULL, t->additive != NULL, p->dropout_probability);
}
