#include "gradients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "number.h"

#define GUARD 67

int64_t gradients_queries(const trial *t) { return trial_rows(t) * t->problem.head_dim; }

static int64_t key_rows(const trial *t) { return t->problem.batch * t->problem.kv_heads * t->problem.key_length; }
int64_t gradients_keys(const trial *t) { return key_rows(t) * t->problem.head_dim; }
int64_t gradients_values(const trial *t) { return key_rows(t) * t->problem.value_dim; }

int64_t gradients_weights(const trial *t) {
  return (t->naive.additive_stride ? t->problem.query_heads : 1) * t->problem.head_dim;
}

saved saved_make(const trial *t, const char *isa, random_source *r) {
  saved s = {trial_numbers(trial_outputs(t)), trial_numbers(trial_rows(t)), trial_numbers(trial_outputs(t))};
  trial_run(t, isa, 1, NULL, s.output, s.lse);
  for (int64_t i = 0; i < trial_outputs(t); i++)
    s.output_gradient[i] = number_round(t->problem.type, random_double(r, -1, 1));
  return s;
}

void saved_free(saved *s) { free(s->output), free(s->lse), free(s->output_gradient); }

gradients gradients_make(const trial *t, random_source *r) {
  gradients g = {.query = trial_numbers(gradients_queries(t)),
                 .key = trial_numbers(gradients_keys(t)),
                 .value = trial_numbers(gradients_values(t)),
                 .sinks = t->sinks ? trial_numbers(t->problem.query_heads) : NULL,
                 .additive = t->additive ? trial_numbers(gradients_weights(t)) : NULL,
                 .bias_elements = 1};
  const int64_t sizes[4] = {t->problem.batch, t->problem.query_heads, t->problem.query_length, t->problem.key_length};
  for (int axis = 3; axis >= 0; axis--) {
    bool repeats = t->bias && t->naive.bias_strides[axis] == 0;
    if (repeats || (r && random_chance(r, 0.3))) continue;
    g.bias_strides[axis] = g.bias_elements > 0 ? g.bias_elements : 1;
    g.bias_elements *= sizes[axis];
  }
  g.bias = trial_numbers(g.bias_elements);
  return g;
}

gradients gradients_like(const trial *t, const gradients *shape) {
  gradients g = *shape;
  if (g.query) g.query = trial_numbers(gradients_queries(t));
  if (g.key) g.key = trial_numbers(gradients_keys(t));
  if (g.value) g.value = trial_numbers(gradients_values(t));
  if (g.bias) g.bias = trial_numbers(g.bias_elements);
  if (g.sinks) g.sinks = trial_numbers(t->problem.query_heads);
  if (g.additive) g.additive = trial_numbers(gradients_weights(t));
  return g;
}

void gradients_free(gradients *g) {
  free(g->query), free(g->key), free(g->value), free(g->bias), free(g->sinks), free(g->additive);
}

/* An output in a buffer of its own. */
typedef struct target {
  layout l;
  attn_type type;
  void *buffer;
} target;

static target target_make(const trial *t, random_source *r, int64_t heads, int64_t rows, int64_t dim, bool wanted,
                          attn_output *view) {
  target o = {.l = layout_bhsd(t->problem.batch, heads, rows, dim), .type = t->problem.type};
  if (r) o.l = layout_random(r, o.l.batch, heads, rows, dim, GUARD);
  if (!wanted) return o;
  o.buffer = layout_blank(&o.l, o.type);
  *view = layout_output(&o.l, o.type, o.buffer);
  return o;
}

static void target_finish(target *o, double *dense) {
  if (!dense) return;
  EXPECT(layout_untouched(&o->l, o->type, o->buffer, false));
  layout_load(&o->l, o->type, o->buffer, dense);
  free(o->buffer);
}

/* A bias gradient between guard bands; with r its rows have gaps and some of its strides are negative. */
typedef struct bias_target {
  int64_t sizes[4], strides[4], origin, elements;
  attn_type real;
  void *buffer;
} bias_target;

static bias_target bias_target_make(const trial *t, const gradients *g, random_source *r) {
  bias_target o = {.sizes = {t->problem.batch, t->problem.query_heads, t->problem.query_length, t->problem.key_length},
                   .origin = GUARD,
                   .real = number_compute_type(t->problem.type)};
  int64_t span = 1;
  for (int axis = 3; axis >= 0; axis--) {
    if (g->bias_strides[axis] == 0) {
      o.sizes[axis] = 1;
      continue;
    }
    o.strides[axis] = span + (r && random_chance(r, 0.3) ? random_int(r, 1, 5) : 0);
    int64_t reach = o.sizes[axis] > 0 ? (o.sizes[axis] - 1) * o.strides[axis] : 0;
    span += reach;
    if (!r || !random_chance(r, 0.15)) continue;
    o.strides[axis] = -o.strides[axis];
    o.origin += reach;
  }
  o.elements = GUARD + span + GUARD;
  o.buffer = malloc((size_t)(o.elements * number_bytes(o.real)));
  memset(o.buffer, 0xA5, (size_t)(o.elements * number_bytes(o.real)));
  return o;
}

static void bias_target_finish(bias_target *o, double *dense) {
  int64_t bytes = number_bytes(o->real), at = 0;
  for (int64_t b = 0; b < o->sizes[0]; b++)
    for (int64_t h = 0; h < o->sizes[1]; h++)
      for (int64_t i = 0; i < o->sizes[2]; i++)
        for (int64_t j = 0; j < o->sizes[3]; j++) {
          int64_t from = o->origin + b * o->strides[0] + h * o->strides[1] + i * o->strides[2] + j * o->strides[3];
          dense[at++] = number_get(o->real, o->buffer, from);
          memset((char *)o->buffer + from * bytes, 0xA5, (size_t)bytes);
        }
  bool untouched = true;
  for (int64_t i = 0; i < o->elements * bytes; i++) untouched = untouched && ((uint8_t *)o->buffer)[i] == 0xA5;
  EXPECT(untouched);
  free(o->buffer);
}

static attn_input store(const trial *t, random_source *r, attn_type type, int64_t dim, const double *dense,
                        void **buffer) {
  const attn_problem *p = &t->problem;
  layout l = layout_bhsd(p->batch, p->query_heads, p->query_length, dim);
  if (r) l = layout_random(r, l.batch, l.heads, l.rows, dim, 0);
  *buffer = layout_store(&l, type, dense);
  return layout_input(&l, type, *buffer);
}

void gradients_run(const trial *t, const char *isa, int threads, random_source *r, const saved *s, gradients *g) {
  attn_problem p = t->problem;
  attn_type real = number_compute_type(p.type);
  p.isa = isa;
  p.threads = threads;
  void *stored[3];
  attn_input output = store(t, r, p.type, p.value_dim, s->output, &stored[0]);
  attn_input lse = store(t, r, real, 1, s->lse, &stored[1]);
  attn_input output_gradient = store(t, r, p.type, p.value_dim, s->output_gradient, &stored[2]);
  attn_gradients to = {.sinks = NULL};
  target query = target_make(t, r, p.query_heads, p.query_length, p.head_dim, g->query, &to.query);
  target key = target_make(t, r, p.kv_heads, p.key_length, p.head_dim, g->key, &to.key);
  target value = target_make(t, r, p.kv_heads, p.key_length, p.value_dim, g->value, &to.value);
  bias_target bias = {.buffer = NULL};
  if (g->bias) {
    bias = bias_target_make(t, g, r);
    to.bias.data = (char *)bias.buffer + bias.origin * number_bytes(real);
    to.bias.stride_batch = bias.strides[0], to.bias.stride_head = bias.strides[1];
    to.bias.stride_row = bias.strides[2], to.bias.stride_key = bias.strides[3];
  }
  target sinks = {.l = {1, 1, 1, p.query_heads, 0, 0, 0, GUARD, p.query_heads + 2 * GUARD}, .type = real};
  if (g->sinks) {
    sinks.buffer = layout_blank(&sinks.l, real);
    to.sinks = layout_output(&sinks.l, real, sinks.buffer).data;
  }
  int64_t heads = p.additive_stride_head ? p.query_heads : 1, reach = (heads - 1) * p.additive_stride_head + p.head_dim;
  target additive = {.l = {1, heads, 1, p.head_dim, 0, p.additive_stride_head, 0, GUARD, reach + 2 * GUARD},
                     .type = real};
  if (g->additive) {
    additive.buffer = layout_blank(&additive.l, real);
    to.additive = layout_output(&additive.l, real, additive.buffer).data;
  }
  if (!EXPECT_INT(attn_backward(&p, &output, &lse, &output_gradient, &to), ATTN_OK))
    printf("  %s\n", attn_error_message());
  target_finish(&query, g->query);
  target_finish(&key, g->key);
  target_finish(&value, g->value);
  if (g->bias) bias_target_finish(&bias, g->bias);
  target_finish(&sinks, g->sinks);
  target_finish(&additive, g->additive);
  for (int i = 0; i < 3; i++) free(stored[i]);
}

void gradients_expect_same(const trial *t, const gradients *got, const gradients *want) {
  if (got->query) EXPECT_SAME(got->query, want->query, gradients_queries(t));
  if (got->key) EXPECT_SAME(got->key, want->key, gradients_keys(t));
  if (got->value) EXPECT_SAME(got->value, want->value, gradients_values(t));
  if (got->bias) EXPECT_SAME(got->bias, want->bias, got->bias_elements);
  if (got->sinks) EXPECT_SAME(got->sinks, want->sinks, t->problem.query_heads);
  if (got->additive) EXPECT_SAME(got->additive, want->additive, gradients_weights(t));
}
