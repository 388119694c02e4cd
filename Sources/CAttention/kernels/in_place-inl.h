/*
 * A few rows of queries against keys and values as they stand in memory: a token that is decoded reads each of them
 * once, so that panels would be written and read for nothing. To the bits of panels: a score is the same chain of
 * multiply-adds over the depth, an output over the keys.
 *
 * Keys are transposed in registers, VF_LANES by VF_LANES numbers at a time, so that the lanes of a sum are scores.
 */

/* Eight rows in two passes took 11 % less than panels where keys come from memory, and six 22 % more where they come
 * from the third-level cache (AVX2, Zen 5). */
#define IN_PLACE_ROWS 4

/* Blocks of keys side by side, so that while the sums of one wait for each other, the next one is transposed. */
#define KEY_BLOCKS 2

/* Row r of `rows`, or the last one in place of those that there are not: their results are not stored. */
ATTN_INLINE const real *present_row(const real *first, int64_t stride, int64_t r, int64_t rows) {
  return first + (r < rows ? r : rows - 1) * stride;
}

/* `height` rows, of which `rows` count, against KEY_BLOCKS (or, with fewer keys than that, 1) blocks of keys. */
ATTN_INLINE void block_scores(int height, int blocks, real *s, int64_t stride, const real *q, int64_t q_stride,
                              int64_t dim, const void *const *keys, attn_type type, int64_t count, int64_t rows) {
  const real *query[IN_PLACE_ROWS];
  vf sum[KEY_BLOCKS][IN_PLACE_ROWS], block[VF_LANES];
  for (int r = 0; r < height; r++) query[r] = present_row(q, q_stride, r, rows);
  /* -0 + x is x for every x: the chain begins with a product, as in products-inl.h. */
  for (int b = 0; b < blocks; b++)
    for (int r = 0; r < height; r++) sum[b][r] = vf_set1((real)-0.0);
#define ADD_DEPTH(b, i) \
  for (int r = 0; r < height; r++) sum[b][r] = vf_fma(vf_set1(query[r][d + (i)]), block[i], sum[b][r])
  uintptr_t ahead = bytes_ahead(keys, count);
  int64_t d = 0;
  for (; d + VF_LANES <= dim; d += VF_LANES)
    for (int b = 0; b < blocks; b++) {
      if (blocks > 1) /* whole ones */
        for (int i = 0; i < VF_LANES; i++) {
          block[i] = load_lanes(keys[b * VF_LANES + i], type, d);
          fetch_ahead(keys[b * VF_LANES + i], type, d, ahead);
        }
      else
        load_key_block(block, keys, type, count, dim, d, ahead);
      vf_transpose(block);
      for (int i = 0; i < VF_LANES; i++) ADD_DEPTH(b, i);
    }
  if (d < dim)
    for (int b = 0; b < blocks; b++) {
      load_key_block(block, keys + b * VF_LANES, type, count - b * VF_LANES, dim, d, ahead);
      vf_transpose(block);
      for (int i = 0; i < dim - d; i++) ADD_DEPTH(b, i);
    }
#undef ADD_DEPTH
  for (int b = 0; b < blocks; b++)
    for (int r = 0; r < height; r++)
      if (r < rows) vf_store(s + r * stride + b * VF_LANES, sum[b][r]);
}

ATTN_INLINE void scores_in_place_of(int height, real *s, int64_t stride, const real *q, int64_t q_stride, int64_t dim,
                                    const void *const *keys, attn_type type, int64_t count, int64_t rows) {
  int64_t c = 0;
  for (; c + KEY_BLOCKS * VF_LANES <= count; c += KEY_BLOCKS * VF_LANES)
    block_scores(height, KEY_BLOCKS, s + c, stride, q, q_stride, dim, keys + c, type, count - c, rows);
  for (; c < count; c += VF_LANES)
    block_scores(height, 1, s + c, stride, q, q_stride, dim, keys + c, type, count - c, rows);
}

/* `height` rows by `vectors` vectors from column c on. The last columns, fewer than a vector, are `partial`. */
ATTN_INLINE void add_values(int height, int vectors, bool partial, real *output, int64_t output_stride, const real *p,
                            int64_t stride, const void *const *values, attn_type type, int64_t dim, int64_t rows,
                            int64_t first, int64_t last, int64_t c) {
  const real *weight[IN_PLACE_ROWS];
  vf sum[IN_PLACE_ROWS][8];
  for (int r = 0; r < height; r++) {
    weight[r] = present_row(p, stride, r, rows);
    const real *at = present_row(output, output_stride, r, rows) + c;
    for (int v = 0; v < vectors; v++) sum[r][v] = vf_load(at + v * VF_LANES);
  }
  for (int64_t j = first; j < last; j++)
    for (int v = 0; v < vectors; v++) {
      vf x = partial ? load_partial(values[j], type, c, dim - c) : load_lanes(values[j], type, c + v * VF_LANES);
      for (int r = 0; r < height; r++) sum[r][v] = vf_fma(vf_set1(weight[r][j]), x, sum[r][v]);
    }
  for (int r = 0; r < height; r++)
    if (r < rows)
      for (int v = 0; v < vectors; v++) vf_store(output + r * output_stride + c + v * VF_LANES, sum[r][v]);
}

ATTN_INLINE void accumulate_in_place_of(int height, real *output, int64_t output_stride, const real *p, int64_t stride,
                                        const void *const *values, attn_type type, int64_t dim, int64_t rows,
                                        int64_t first, int64_t last) {
  /* As many sums as hide the latency of a multiply-add and fit into 16 registers. */
  const int wide = height == 1 ? 8 : 2;
  int64_t c = 0;
#define ADD_VALUES(vectors, partial) \
  add_values(height, vectors, partial, output, output_stride, p, stride, values, type, dim, rows, first, last, c)
  for (; c + wide * VF_LANES <= dim; c += wide * VF_LANES) ADD_VALUES(wide, false);
  if (wide > 4)
    for (; c + 4 * VF_LANES <= dim; c += 4 * VF_LANES) ADD_VALUES(4, false);
  for (; c + VF_LANES <= dim; c += VF_LANES) ADD_VALUES(1, false);
  if (c < dim) ADD_VALUES(1, true);
#undef ADD_VALUES
}

ATTN_INLINE bool rows_finite_of(const void *const *rows, attn_type type, int64_t count, int64_t dim) {
  vf poison[POISON_SUMS];
  for (int i = 0; i < POISON_SUMS; i++) poison[i] = vf_set1(0);
  uintptr_t ahead = bytes_ahead(rows, count);
  for (int64_t j = 0; j < count; j++) {
    for (int64_t at = 0; at < dim * TYPE_BYTES(type); at += ATTN_LINE_BYTES) fetch_line(rows[j], at, ahead);
    int64_t c = 0;
    for (; c + POISON_SUMS * VF_LANES <= dim; c += POISON_SUMS * VF_LANES)
      for (int i = 0; i < POISON_SUMS; i++)
        poison[i] = vf_fma(load_lanes(rows[j], type, c + i * VF_LANES), vf_set1(0), poison[i]);
    for (; c + VF_LANES <= dim; c += VF_LANES) poison[0] = vf_fma(load_lanes(rows[j], type, c), vf_set1(0), poison[0]);
    if (c < dim) poison[0] = vf_fma(load_partial(rows[j], type, c, dim - c), vf_set1(0), poison[0]);
  }
  return !poisoned(poison);
}

static void scores_in_place(void *scores, int64_t stride, const void *queries, int64_t query_stride, int64_t dim,
                            const void *const *keys, attn_type type, int64_t count, int64_t rows) {
  real *s = (real *)scores;
  const real *q = (const real *)queries;
#define OF_HEIGHT(height, type) scores_in_place_of(height, s, stride, q, query_stride, dim, keys, type, count, rows)
#define OF_TYPE(type) rows == 1 ? OF_HEIGHT(1, type) : OF_HEIGHT(IN_PLACE_ROWS, type)
  BY_TYPE(type, OF_TYPE);
#undef OF_TYPE
#undef OF_HEIGHT
}

static void accumulate_in_place(void *output, int64_t output_stride, const void *p, int64_t stride,
                                const void *const *values, attn_type type, int64_t dim, int64_t rows, int64_t first,
                                int64_t last) {
  real *o = (real *)output;
  const real *w = (const real *)p;
#define OF_HEIGHT(height, type) \
  accumulate_in_place_of(height, o, output_stride, w, stride, values, type, dim, rows, first, last)
#define OF_TYPE(type) rows == 1 ? OF_HEIGHT(1, type) : OF_HEIGHT(IN_PLACE_ROWS, type)
  BY_TYPE(type, OF_TYPE);
#undef OF_TYPE
#undef OF_HEIGHT
}

static bool rows_finite(const void *const *rows, attn_type type, int64_t count, int64_t dim) {
#define FINITE(type) return rows_finite_of(rows, type, count, dim)
  BY_TYPE(type, FINITE);
#undef FINITE
}
