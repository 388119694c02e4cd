/* A sequence gives the same bits alone, padded in a batch, packed, and paged; rows outside sequences stay untouched. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "number.h"
#include "trial.h"

enum { B = 5, H = 4, G = 2, D = 24, DV = 19, LONGEST_Q = 140, LONGEST_K = 201 };
static const int64_t queries[B] = {3, 140, 0, 49, 77}, keys[B] = {201, 140, 60, 0, 129};

/* The options that each form is tried with. */
static attn_problem options(int variant, attn_type type, const void *sinks32, const void *sinks64) {
  attn_problem p = attn_problem_init(type, B, H, G, LONGEST_Q, LONGEST_K, D, DV);
  p.causal = variant > 0;
  p.alignment = variant == 1 ? ATTN_ALIGN_TOP_LEFT : ATTN_ALIGN_BOTTOM_RIGHT;
  if (variant == 2) p.window_left = 50;
  if (variant == 3) p.sinks = type == ATTN_F64 ? sinks64 : sinks32;
  return p;
}

typedef struct sequences {
  attn_type type;
  const char *isa;
  int variant;
  trial alone[B]; /* one sequence each */
  double *output[B], *lse[B];
} sequences;

/* A packed view of one array of every sequence; `front` rows before the first are NaN and belong to none. */
static layout pack(const sequences *s, int which, const int64_t *counts, int64_t front, int64_t *starts,
                   void **buffer) {
  int64_t heads = which == 0 ? H : G, dim = which == 2 ? DV : D, total = front;
  for (int b = 0; b <= B; b++) {
    starts[b] = total;
    if (b < B) total += counts[b];
  }
  double *dense = trial_numbers(heads * total * dim);
  for (int64_t i = 0; i < heads * total * dim; i++) dense[i] = NAN;
  for (int b = 0; b < B; b++) {
    const double *from = which == 0 ? s->alone[b].query : which == 1 ? s->alone[b].key : s->alone[b].value;
    for (int64_t h = 0; h < heads; h++)
      memcpy(dense + (h * total + starts[b]) * dim, from + h * counts[b] * dim,
             (size_t)(counts[b] * dim) * sizeof(double));
  }
  layout l = layout_bshd(1, heads, total, dim);
  *buffer = layout_store(&l, s->type, dense);
  free(dense);
  return l;
}

static void expect_sequence(const sequences *s, int b, const layout *o, const void *output, const layout *l,
                            const void *lse, int64_t batch, int64_t first, const char *form) {
  attn_type real = number_compute_type(s->type);
  int64_t count = H * queries[b];
  double *got = trial_numbers(count * DV), *got_lse = trial_numbers(count);
  for (int64_t h = 0, at = 0; h < H; h++)
    for (int64_t i = 0; i < queries[b]; i++, at++) {
      got_lse[at] = number_get(real, lse, layout_at(l, batch, h, first + i, 0));
      for (int64_t d = 0; d < DV; d++)
        got[at * DV + d] = number_get(s->type, output, layout_at(o, batch, h, first + i, d));
    }
  expect_context("%s %s options %d sequence %d %s", s->isa, number_type_name(s->type), s->variant, b, form);
  EXPECT_SAME(got, s->output[b], count * DV);
  EXPECT_SAME(got_lse, s->lse[b], count);
  free(got);
  free(got_lse);
}

/* Queries packed; keys packed or paged. */
static void packed(const sequences *s, attn_problem p, int64_t front) {
  int64_t query_starts[B + 1], key_starts[B + 1];
  void *query, *key, *value;
  attn_type real = number_compute_type(s->type);
  layout q = pack(s, 0, queries, front, query_starts, &query);
  layout k = pack(s, 1, keys, front, key_starts, &key), v = pack(s, 2, keys, front, key_starts, &value);
  p.query = layout_input(&q, s->type, query);
  p.key = layout_input(&k, s->type, key);
  p.value = layout_input(&v, s->type, value);
  p.query_starts = query_starts;
  p.key_starts = key_starts;
  layout o = layout_bshd(1, H, query_starts[B], DV), l = layout_bhsd(1, H, query_starts[B], 1);
  void *output = layout_blank(&o, s->type), *lse = layout_blank(&l, real);
  attn_output o_view = layout_output(&o, s->type, output), l_view = layout_output(&l, real, lse);
  EXPECT_INT(attn_forward(&p, &o_view, &l_view), ATTN_OK);
  for (int b = 0; b < B; b++) expect_sequence(s, b, &o, output, &l, lse, 0, query_starts[b], "packed");
  /* Rows in front of the first sequence are no one's. */
  for (int64_t byte = 0; byte < front * H * DV * number_bytes(s->type); byte++)
    EXPECT_INT(((uint8_t *)output)[byte], 0xA5);
  free(query), free(key), free(value), free(output), free(lse);
}

/* Padded: rows behind a sequence hold NaN. Paged: pages in random places of a pool, NaN in what no row names. Lengths
 * are by key_lengths, so the offset of the bottom-right alignment is given as offsets. */
static void padded_or_paged(const sequences *s, attn_problem p, int64_t page_rows, random_source *r) {
  attn_type real = number_compute_type(s->type);
  int64_t offsets[B], per = page_rows ? (LONGEST_K + page_rows - 1) / page_rows : 0, pool = B * per + 3;
  for (int b = 0; b < B; b++) offsets[b] = p.alignment == ATTN_ALIGN_BOTTOM_RIGHT ? keys[b] - queries[b] : 0;
  int64_t blocks = page_rows ? pool : B, rows = page_rows ? page_rows : LONGEST_K;
  double *query = trial_numbers(B * H * LONGEST_Q * D);
  double *key = trial_numbers(blocks * G * rows * D), *value = trial_numbers(blocks * G * rows * DV);
  for (int64_t i = 0; i < B * H * LONGEST_Q * D; i++) query[i] = NAN;
  for (int64_t i = 0; i < blocks * G * rows * D; i++) key[i] = NAN;
  for (int64_t i = 0; i < blocks * G * rows * DV; i++) value[i] = NAN;
  int32_t *table = malloc((size_t)(B * per + 1) * sizeof *table);
  int64_t step = random_int(r, 0, 1) ? 1 : -1;
  for (int64_t i = 0; i < B * per; i++) table[i] = (int32_t)(step > 0 ? i + 2 : B * per - i);
  for (int b = 0; b < B; b++) {
    for (int64_t h = 0; h < H; h++)
      memcpy(query + (b * H + h) * LONGEST_Q * D, s->alone[b].query + h * queries[b] * D,
             (size_t)(queries[b] * D) * sizeof(double));
    for (int64_t g = 0; g < G; g++)
      for (int64_t j = 0; j < keys[b]; j++) {
        int64_t block = page_rows ? table[b * per + j / page_rows] : b, row = page_rows ? j % page_rows : j;
        memcpy(key + ((block * G + g) * rows + row) * D, s->alone[b].key + (g * keys[b] + j) * D, D * sizeof(double));
        memcpy(value + ((block * G + g) * rows + row) * DV, s->alone[b].value + (g * keys[b] + j) * DV,
               DV * sizeof(double));
      }
    /* Entries behind a sequence's last page are never read. */
    for (int64_t page = page_rows ? (keys[b] + page_rows - 1) / page_rows : 0; page < per; page++)
      table[b * per + page] = INT32_MAX;
  }
  layout q = layout_random(r, B, H, LONGEST_Q, D, 0), k = layout_random(r, blocks, G, rows, D, 0);
  layout v = layout_random(r, blocks, G, rows, DV, 0), o = layout_random(r, B, H, LONGEST_Q, DV, 9);
  layout l = layout_random(r, B, H, LONGEST_Q, 1, 9);
  void *stored[3] = {layout_store(&q, s->type, query), layout_store(&k, s->type, key),
                     layout_store(&v, s->type, value)};
  void *output = layout_blank(&o, s->type), *lse = layout_blank(&l, real);
  attn_output o_view = layout_output(&o, s->type, output), l_view = layout_output(&l, real, lse);
  p.query = layout_input(&q, s->type, stored[0]);
  p.key = layout_input(&k, s->type, stored[1]);
  p.value = layout_input(&v, s->type, stored[2]);
  p.key_lengths = keys;
  p.alignment = ATTN_ALIGN_OFFSETS;
  p.query_offsets = offsets;
  if (page_rows) p.page_table = table, p.page_rows = page_rows, p.page_count = pool, p.pages_per_sequence = per;
  EXPECT_INT(attn_forward(&p, &o_view, &l_view), ATTN_OK);
  EXPECT(layout_untouched(&o, s->type, output, false));
  for (int b = 0; b < B; b++)
    expect_sequence(s, b, &o, output, &l, lse, b, 0, page_rows ? "paged" : "padded");
  for (int i = 0; i < 3; i++) free(stored[i]);
  free(query), free(key), free(value), free(table), free(output), free(lse);
}

static void all_forms(attn_type type, const char *isa, int variant, random_source *r) {
  const float sinks32[H] = {0.5f, -1, 2, 0};
  const double sinks64[H] = {0.5, -1, 2, 0};
  attn_problem p = options(variant, type, sinks32, sinks64);
  p.isa = isa;
  sequences s = {.type = type, .isa = isa, .variant = variant};
  for (int b = 0; b < B; b++) {
    trial *t = &s.alone[b];
    *t = trial_make(type, 1, H, G, queries[b], keys[b], D, DV, r);
    t->problem.causal = p.causal;
    t->problem.alignment = p.alignment;
    t->problem.window_left = p.window_left;
    trial_store(t, NULL);
    t->problem.sinks = p.sinks;
    s.output[b] = trial_numbers(trial_outputs(t));
    s.lse[b] = trial_numbers(trial_rows(t));
    trial_run(t, isa, 1, NULL, s.output[b], s.lse[b]);
  }
  packed(&s, p, 0);
  packed(&s, p, 3);
  padded_or_paged(&s, p, 0, r);
  const int64_t page_rows[] = {1, 16, 33, 256};
  for (int i = 0; i < 4; i++) padded_or_paged(&s, p, page_rows[i], r);
  for (int b = 0; b < B; b++) {
    free(s.output[b]), free(s.lse[b]);
    trial_free(&s.alone[b]);
  }
}

int main(void) {
  random_source r = {expect_seed()};
  for (int i = 0; i < attn_isa_count(); i++)
    for (int type = ATTN_F32; type <= ATTN_BF16 && attn_isa_available(i); type++)
      for (int variant = 0; variant < 4; variant++) all_forms((attn_type)type, attn_isa_name(i), variant, &r);
  return expect_finish();
}
