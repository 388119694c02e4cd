/* Packing of keys (transposed) and values into panels; the layout is in kernels.h. */

#define PANEL_WIDTH (TILE_VECTORS * VF_LANES)

/*
 * While rows are read, those that come 32 later are fetched, each line where its own is read. A tile ahead in one
 * burst, as forward does for many rows, fills what a processor has for lines under way: packing for one block of rows,
 * a call took 2 to 10 % longer (S = 50 and 64 with many heads, 48 rows from memory), and one query with keys and values
 * in place 1.4 times as long from the third-level cache (Zen 5). 16 rows ahead it took up to 14 % longer (AVX2), 64
 * rows 2 to 6 % (AVX-512).
 */
#define ROWS_AHEAD 32

/* By how many bytes a row lies beyond the one ROWS_AHEAD rows before it, where rows are evenly spaced; elsewhere what
 * is fetched is of no use, and no harm. */
ATTN_INLINE uintptr_t bytes_ahead(const void *const *rows, int64_t count) {
  return count > 1 ? ROWS_AHEAD * ((uintptr_t)rows[1] - (uintptr_t)rows[0]) : 0;
}

ATTN_INLINE void fetch_line(const void *row, int64_t offset, uintptr_t ahead) {
  __builtin_prefetch((const void *)((uintptr_t)row + (uintptr_t)offset + ahead), 0, 3);
}

/* The line in which number i of a row ahead stands, for the first vector of a line. */
ATTN_INLINE void fetch_ahead(const void *row, attn_type type, int64_t i, uintptr_t ahead) {
  if (i * TYPE_BYTES(type) % ATTN_LINE_BYTES == 0) fetch_line(row, i * TYPE_BYTES(type), ahead);
}

/* Numbers [d, d + VF_LANES) of VF_LANES keys, of which there are `present`; 0 beyond dim and for the others. */
ATTN_INLINE void load_key_block(vf block[VF_LANES], const void *const *keys, attn_type type, int64_t present,
                                int64_t dim, int64_t d, uintptr_t ahead) {
  int64_t depth = dim - d;
  for (int i = 0; i < VF_LANES; i++) {
    if (i >= present) {
      block[i] = vf_set1(0);
      continue;
    }
    block[i] = depth >= VF_LANES ? load_lanes(keys[i], type, d) : load_partial(keys[i], type, d, depth);
    fetch_ahead(keys[i], type, d, ahead);
  }
}

/* VF_LANES keys, `present` of which there are, into their columns. */
ATTN_INLINE void pack_key_columns(real *column, const void *const *keys, attn_type type, int64_t present, int64_t dim,
                                  uintptr_t ahead) {
  for (int64_t d = 0; d < dim; d += VF_LANES) {
    vf block[VF_LANES];
    int64_t depth = dim - d < VF_LANES ? dim - d : VF_LANES;
    load_key_block(block, keys, type, present, dim, d, ahead);
    vf_transpose(block);
    for (int i = 0; i < depth; i++) vf_store(column + (d + i) * PANEL_WIDTH, block[i]);
  }
}

ATTN_INLINE void pack_keys_of(real *dst, const void *const *keys, attn_type type, int64_t count, int64_t dim) {
  int64_t whole = dim / VF_LANES * VF_LANES;
  uintptr_t ahead = bytes_ahead(keys, count);
  for (int64_t c = 0; c < count; c += VF_LANES) {
    real *column = dst + (c / PANEL_WIDTH) * dim * PANEL_WIDTH + c % PANEL_WIDTH;
    if (count - c < VF_LANES || whole < dim) {
      pack_key_columns(column, keys + c, type, count - c, dim, ahead);
      continue;
    }
    for (int64_t d = 0; d < dim; d += VF_LANES) {
      vf block[VF_LANES];
      for (int i = 0; i < VF_LANES; i++) {
        block[i] = load_lanes(keys[c + i], type, d);
        fetch_ahead(keys[c + i], type, d, ahead);
      }
      vf_transpose(block);
      for (int i = 0; i < VF_LANES; i++) vf_store(column + (d + i) * PANEL_WIDTH, block[i]);
    }
  }
}

static void pack_keys(void *dst, const void *const *keys, attn_type type, int64_t count, int64_t dim) {
  real *out = (real *)dst;
#define PACK(type) pack_keys_of(out, keys, type, count, dim)
  BY_TYPE(type, PACK);
#undef PACK
  /* Whole vectors of the last slice that hold no key at all. */
  for (int64_t c = (count + VF_LANES - 1) / VF_LANES * VF_LANES; c % PANEL_WIDTH != 0; c += VF_LANES)
    for (int64_t d = 0; d < dim; d++)
      vf_store(out + (c / PANEL_WIDTH) * dim * PANEL_WIDTH + d * PANEL_WIDTH + c % PANEL_WIDTH, vf_set1(0));
}

/* Sums that are NaN once a number added was not finite: x * 0 is 0 for finite x and NaN for the others. One sum alone
 * would wait for its own last addition: 4 cycles a vector. */
#define POISON_SUMS 4

ATTN_INLINE bool poisoned(const vf poison[POISON_SUMS]) {
  real total = 0;
  for (int i = 0; i < POISON_SUMS; i++) total += vf_hsum(poison[i]);
  return total != total;
}

ATTN_INLINE bool pack_values_of(real *dst, const void *const *values, attn_type type, int64_t count, int64_t depth,
                                int64_t dim) {
  vf poison[POISON_SUMS];
  for (int i = 0; i < POISON_SUMS; i++) poison[i] = vf_set1(0);
  int64_t whole = dim / (POISON_SUMS * VF_LANES) * (POISON_SUMS * VF_LANES);
  uintptr_t ahead = bytes_ahead(values, count);
  for (int64_t j = 0; j < count; j++) {
    for (int64_t at = 0; at < dim * TYPE_BYTES(type); at += ATTN_LINE_BYTES) fetch_line(values[j], at, ahead);
    for (int64_t c = 0; c < whole; c += POISON_SUMS * VF_LANES)
      for (int i = 0; i < POISON_SUMS; i++) {
        int64_t column = c + i * VF_LANES;
        vf x = load_lanes(values[j], type, column);
        poison[i] = vf_fma(x, vf_set1(0), poison[i]);
        vf_store(dst + ((column / PANEL_WIDTH) * depth + j) * PANEL_WIDTH + column % PANEL_WIDTH, x);
      }
    for (int64_t c = whole; c < dim; c += VF_LANES) {
      vf x = dim - c < VF_LANES ? load_partial(values[j], type, c, dim - c) : load_lanes(values[j], type, c);
      poison[0] = vf_fma(x, vf_set1(0), poison[0]);
      vf_store(dst + ((c / PANEL_WIDTH) * depth + j) * PANEL_WIDTH + c % PANEL_WIDTH, x);
    }
  }
  for (int64_t c = (dim + VF_LANES - 1) / VF_LANES * VF_LANES; c % PANEL_WIDTH != 0; c += VF_LANES)
    for (int64_t j = 0; j < count; j++)
      vf_store(dst + ((c / PANEL_WIDTH) * depth + j) * PANEL_WIDTH + c % PANEL_WIDTH, vf_set1(0));
  return !poisoned(poison);
}

/* By storage type; returns whether all numbers were finite. */
static bool pack_values_typed(real *out, const void *const *rows, attn_type type, int64_t count, int64_t depth,
                              int64_t dim) {
#define PACK(type) return pack_values_of(out, rows, type, count, depth, dim)
  BY_TYPE(type, PACK);
#undef PACK
}

static bool pack_values(void *dst, const void *const *values, attn_type type, int64_t count, int64_t depth,
                        int64_t dim) {
  real *out = (real *)dst;
  if (pack_values_typed(out, values, type, count, depth, dim)) return true;
  int64_t slices = (dim + PANEL_WIDTH - 1) / PANEL_WIDTH;
  for (int64_t slice = 0; slice < slices; slice++)
    for (int64_t i = 0; i < count * PANEL_WIDTH; i++) {
      real *x = out + slice * depth * PANEL_WIDTH + i;
      if (*x - *x != 0) *x = 0;
    }
  return false;
}
