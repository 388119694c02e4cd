/* Rows of numbers in and out of the compute type. */

#if ATTN_REAL_BITS == 32
#define REAL_TYPE ATTN_F32
#define TYPE_BYTES(type) ((type) == ATTN_F32 ? 4 : 2)
#else
#define REAL_TYPE ATTN_F64
#define TYPE_BYTES(type) ((void)(type), 8)
#endif

/* CALL with the storage type as a constant, which becomes one of the loops. */
#if ATTN_REAL_BITS == 32
#define BY_TYPE(type, CALL)           \
  do {                                \
    if ((type) == ATTN_F16) {         \
      CALL(ATTN_F16);                 \
    } else if ((type) == ATTN_BF16) { \
      CALL(ATTN_BF16);                \
    } else {                          \
      CALL(ATTN_F32);                 \
    }                                 \
  } while (0)
#else
#define BY_TYPE(type, CALL) \
  do {                      \
    (void)(type);           \
    CALL(ATTN_F64);         \
  } while (0)
#endif

ATTN_INLINE const void *element_at(const void *p, attn_type type, int64_t index) {
  return (const char *)p + index * TYPE_BYTES(type);
}

ATTN_INLINE real load_one(const void *p, attn_type type, int64_t index) {
  p = element_at(p, type, index);
#if ATTN_REAL_BITS == 32
  uint16_t half;
  if (type == ATTN_F16) return memcpy(&half, p, 2), attn_f16_to_f32(half);
  if (type == ATTN_BF16) return memcpy(&half, p, 2), attn_bf16_to_f32(half);
#endif
  real x;
  memcpy(&x, p, sizeof x);
  return x;
}

ATTN_INLINE vf load_lanes(const void *p, attn_type type, int64_t index) {
  p = element_at(p, type, index);
#if ATTN_REAL_BITS == 32
  if (type == ATTN_F16) return vf_load_f16((const uint16_t *)p);
  if (type == ATTN_BF16) return vf_load_bf16((const uint16_t *)p);
#endif
  return vf_load((const real *)p);
}

/* The first count < VF_LANES numbers, and zeros; reads nothing beyond them. */
ATTN_INLINE vf load_partial(const void *p, attn_type type, int64_t index, int64_t count) {
#if ATTN_REAL_BITS == 32
  if (type != ATTN_F32) {
    uint16_t lanes[VF_LANES] = {0};
    const uint16_t *halves = (const uint16_t *)element_at(p, type, index);
    for (int64_t i = 0; i < count; i++) lanes[i] = halves[i];
    return load_lanes(lanes, type, 0);
  }
#endif
  return vf_load_first((const real *)element_at(p, type, index), count);
}

ATTN_INLINE void load_rows_of(real *dst, int64_t dst_stride, int64_t width, const void *src, int64_t src_stride,
                              attn_type type, int64_t rows, int64_t n, real factor) {
  vf f = vf_set1(factor);
  for (int64_t r = 0; r < rows; r++, dst += dst_stride, src = element_at(src, type, src_stride)) {
    int64_t i = 0;
    for (; i + VF_LANES <= n; i += VF_LANES) vf_store(dst + i, vf_mul(f, load_lanes(src, type, i)));
    for (; i < n; i++) dst[i] = factor * load_one(src, type, i);
    for (; i < width; i++) dst[i] = 0;
  }
}

static void load_rows(void *dst, int64_t dst_stride, int64_t width, const void *src, int64_t src_stride, attn_type type,
                      int64_t rows, int64_t n, double factor) {
#define LOAD(type) load_rows_of((real *)dst, dst_stride, width, src, src_stride, type, rows, n, (real)factor)
  BY_TYPE(type, LOAD);
#undef LOAD
}

ATTN_INLINE void store_lanes(void *dst, attn_type type, int64_t i, vf x) {
#if ATTN_REAL_BITS == 32
  if (type == ATTN_F16) {
    vf_store_f16((uint16_t *)dst + i, x);
    return;
  }
  if (type == ATTN_BF16) {
    vf_store_bf16((uint16_t *)dst + i, x);
    return;
  }
#else
  (void)type;
#endif
  vf_store((real *)dst + i, x);
}

/* Adding +0 turns -0 into +0: whether an underflow to -0 meets a masked tile's +0 must not show in the bits. */
ATTN_INLINE void store_row_of(void *dst, const real *output, const real *extra, attn_type type, int64_t n,
                              real factor) {
  vf f = vf_set1(factor), zero = vf_set1(0);
  int64_t i = 0;
#define FINISHED(o, e) vf_add(vf_add(vf_mul(o, f), extra ? (e) : zero), zero)
  for (; i + VF_LANES <= n; i += VF_LANES) store_lanes(dst, type, i, FINISHED(vf_load(output + i), vf_load(extra + i)));
  if (i < n) {
    _Alignas(real) char lanes[VF_LANES * sizeof(real)];
    store_lanes(lanes, type, 0, FINISHED(vf_load_first(output + i, n - i), vf_load_first(extra + i, n - i)));
    memcpy((char *)dst + i * TYPE_BYTES(type), lanes, (size_t)((n - i) * TYPE_BYTES(type)));
  }
#undef FINISHED
}

static void store_row(void *dst, const void *output, const void *extra, attn_type type, int64_t n, double factor) {
  const real *o = (const real *)output, *e = (const real *)extra;
#define STORE(type) store_row_of(dst, o, e, type, n, (real)factor)
  BY_TYPE(type, STORE);
#undef STORE
}
