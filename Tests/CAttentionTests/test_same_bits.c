/* The bits of a result do not depend on threads, batch size, place in the batch, layout or the output's strides, nor
 * those of a row on the rows it is called with. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "number.h"
#include "trial.h"

static trial everything(attn_type type, int64_t kv_heads, random_source *r) {
  trial t = trial_make(type, 3, 4, kv_heads, 131, 203, 40, 24, r);
  t.problem.causal = true;
  t.problem.alignment = ATTN_ALIGN_OFFSETS;
  t.problem.window_left = 90;
  t.problem.softcap = 30; /* and scores that use it: a row's maximum grows from tile to tile */
  t.problem.scale = 20;
  t.problem.dropout_probability = 0.2;
  t.problem.dropout_seed = 77;
  trial_add_query_offsets(&t, r);
  trial_add_mask(&t, r, 0.7);
  trial_add_bias(&t, r, type == ATTN_F64 ? ATTN_F64 : ATTN_BF16);
  trial_add_slopes(&t, r);
  trial_add_sinks(&t, r);
  return t;
}

static void threads_and_layouts(attn_type type, const char *isa, random_source *r) {
  trial t = everything(type, 2, r);
  trial_store(&t, NULL);
  int64_t outputs = trial_outputs(&t), rows = trial_rows(&t);
  double *want = trial_numbers(outputs), *want_lse = trial_numbers(rows);
  double *got = trial_numbers(outputs), *got_lse = trial_numbers(rows);
  trial_run(&t, isa, 1, NULL, want, want_lse);
  const int threads[] = {2, 3, 7, 0};
  for (int i = 0; i < 4; i++) {
    expect_context("%s %s threads %d", isa, number_type_name(type), threads[i]);
    trial_run(&t, isa, threads[i], NULL, got, got_lse);
    EXPECT_SAME(got, want, outputs);
    EXPECT_SAME(got_lse, want_lse, rows);
  }
  for (int i = 0; i < 4; i++) {
    expect_context("%s %s random layout %d", isa, number_type_name(type), i);
    free(t.stored_query), free(t.stored_key), free(t.stored_value);
    trial_store(&t, r);
    trial_run(&t, isa, 2, r, got, got_lse);
    EXPECT_SAME(got, want, outputs);
    EXPECT_SAME(got_lse, want_lse, rows);
  }
  free(want), free(want_lse), free(got), free(got_lse);
  trial_free(&t);
}

/* Both dense layouts through the header's own helpers. */
static void bhsd_and_bshd(const char *isa, random_source *r) {
  enum { B = 2, H = 3, S = 70, D = 20 };
  trial t = trial_make(ATTN_F32, B, H, H, S, S, D, D, r);
  layout bhsd = layout_bhsd(B, H, S, D), bshd = layout_bshd(B, H, S, D);
  const double *numbers[3] = {t.query, t.key, t.value};
  float *first[3], *second[3], one[B * H * S * D], two[B * H * S * D];
  for (int i = 0; i < 3; i++) {
    first[i] = layout_store(&bhsd, ATTN_F32, numbers[i]);
    second[i] = layout_store(&bshd, ATTN_F32, numbers[i]);
  }
  attn_problem p = t.problem;
  p.isa = isa;
  p.query = attn_input_bhsd(first[0], H, S, D);
  p.key = attn_input_bhsd(first[1], H, S, D);
  p.value = attn_input_bhsd(first[2], H, S, D);
  attn_output output = attn_output_bhsd(one, H, S, D);
  EXPECT_INT(attn_forward(&p, &output, NULL), ATTN_OK);
  p.query = attn_input_bshd(second[0], H, S, D);
  p.key = attn_input_bshd(second[1], H, S, D);
  p.value = attn_input_bshd(second[2], H, S, D);
  output = attn_output_bshd(two, H, S, D);
  EXPECT_INT(attn_forward(&p, &output, NULL), ATTN_OK);
  double a[B * H * S * D], b[B * H * S * D];
  layout_load(&bhsd, ATTN_F32, one, a);
  layout_load(&bshd, ATTN_F32, two, b);
  expect_context("%s BHSD and BSHD", isa);
  EXPECT_SAME(b, a, B * H * S * D);
  for (int i = 0; i < 3; i++) free(first[i]), free(second[i]);
  trial_free(&t);
}

/* Batch row b of a batch against the same row as a batch of its own. */
static void place_in_batch(attn_type type, const char *isa, random_source *r) {
  trial t = trial_make(type, 4, 2, 1, 50, 140, 33, 17, r);
  t.problem.causal = true;
  t.problem.alignment = ATTN_ALIGN_BOTTOM_RIGHT;
  t.problem.scale = 20;
  trial_store(&t, NULL);
  int64_t one = trial_outputs(&t) / 4, one_lse = trial_rows(&t) / 4;
  double *all = trial_numbers(4 * one), *all_lse = trial_numbers(4 * one_lse);
  double *alone = trial_numbers(one), *alone_lse = trial_numbers(one_lse);
  trial_run(&t, isa, 2, NULL, all, all_lse);
  int64_t bytes = number_bytes(type);
  attn_problem p = t.problem;
  t.problem.batch = 1;
  for (int64_t b = 0; b < 4; b++) {
    t.problem.query.data = (const char *)p.query.data + b * p.query.stride_batch * bytes;
    t.problem.key.data = (const char *)p.key.data + b * p.key.stride_batch * bytes;
    t.problem.value.data = (const char *)p.value.data + b * p.value.stride_batch * bytes;
    trial_run(&t, isa, 1, r, alone, alone_lse);
    expect_context("%s %s batch row %d", isa, number_type_name(type), (int)b);
    EXPECT_SAME(alone, all + b * one, one);
    EXPECT_SAME(alone_lse, all_lse + b * one_lse, one_lse);
  }
  free(all), free(all_lse), free(alone), free(alone_lse);
  trial_free(&t);
}

/* A few rows at a time, as a token is decoded, against all in one call, with values that are not finite in some tiles
 * of keys and not in others. */
static void few_rows(attn_type type, int64_t kv_heads, const char *isa, random_source *r) {
  trial t = everything(type, kv_heads, r);
  t.problem.dropout_probability = 0; /* which goes by a row's place in the call */
  for (int64_t i = 0; i < 3 * kv_heads * 203 * 24; i++)
    if (i / 24 % 203 > 150 && random_chance(r, 0.001)) t.value[i] = random_chance(r, 0.5) ? NAN : INFINITY;
  trial_store(&t, r);
  int64_t all = t.problem.query_length, heads = 3 * t.problem.query_heads, dim = t.problem.value_dim;
  double *want = trial_numbers(trial_outputs(&t)), *want_lse = trial_numbers(trial_rows(&t));
  trial_run(&t, isa, 1, NULL, want, want_lse);
  const attn_problem p = t.problem;
  for (int64_t first = 0, count; first < all; first += count) {
    count = random_int(r, 1, all - first < 5 ? all - first : 5);
    int64_t offsets[3];
    for (int b = 0; b < 3; b++) offsets[b] = p.query_offsets[b] + first;
    t.problem.query_length = count;
    t.problem.query_offsets = offsets;
    t.problem.query.data = (const char *)p.query.data + first * p.query.stride_row * number_bytes(type);
    t.problem.mask.data = p.mask.data + first * p.mask.stride_row;
    t.problem.bias.data = (const char *)p.bias.data + first * p.bias.stride_row * number_bytes(p.bias.type);
    double *got = trial_numbers(heads * count * dim), *got_lse = trial_numbers(heads * count);
    trial_run(&t, isa, 1, r, got, got_lse);
    expect_context("%s %s group %d rows %d..%d", isa, number_type_name(type), (int)(4 / kv_heads), (int)first,
                   (int)(first + count - 1));
    for (int64_t h = 0; h < heads; h++) {
      EXPECT_SAME(got + h * count * dim, want + (h * all + first) * dim, count * dim);
      EXPECT_SAME(got_lse + h * count, want_lse + h * all + first, count);
    }
    free(got), free(got_lse);
  }
  t.problem = p;
  free(want), free(want_lse);
  trial_free(&t);
}

/* One key/value head for all queries: as a group, and as a head stride of 0. */
static void broadcast_heads(const char *isa, random_source *r) {
  trial t = trial_make(ATTN_F32, 2, 4, 1, 30, 60, 16, 16, r);
  trial_store(&t, NULL);
  double *grouped = trial_numbers(trial_outputs(&t)), *broadcast = trial_numbers(trial_outputs(&t));
  trial_run(&t, isa, 1, NULL, grouped, NULL);
  t.problem.kv_heads = 4;
  t.problem.key.stride_head = t.problem.value.stride_head = 0;
  trial_run(&t, isa, 1, NULL, broadcast, NULL);
  expect_context("%s a head stride of 0", isa);
  EXPECT_SAME(broadcast, grouped, trial_outputs(&t));
  free(grouped), free(broadcast);
  trial_free(&t);
}

int main(void) {
  random_source r = {expect_seed()};
  for (int i = 0; i < attn_isa_count(); i++) {
    if (!attn_isa_available(i)) continue;
    const char *isa = attn_isa_name(i);
    for (int type = ATTN_F32; type <= ATTN_BF16; type++) {
      threads_and_layouts((attn_type)type, isa, &r);
      place_in_batch((attn_type)type, isa, &r);
      for (int64_t kv_heads = 1; kv_heads <= 4; kv_heads *= 2) few_rows((attn_type)type, kv_heads, isa, &r);
    }
    bhsd_and_bshd(isa, &r);
    broadcast_heads(isa, &r);
  }
  return expect_finish();
}
