/* Numbers one by one. */
static void bias_row(void *row, const void *bias, int64_t n, bool tanh) {
  real *x = (real *)row;
  const real *b = (const real *)bias;
  for (int64_t i = 0; i < n; i += VF_LANES) {
    vf sum = load_first(x + i, n - i);
    if (b) sum = vf_add(sum, load_first(b + i, n - i));
    store_first(x + i, tanh ? vf_tanh(sum) : sum, n - i);
  }
}

/* -infinity, whose exponential is 0, where a row ends inside a vector. */
ATTN_INLINE vf load_before(const real *p, int64_t n) {
  if (n >= VF_LANES) return vf_load(p);
  real lanes[VF_LANES];
  for (int64_t i = 0; i < VF_LANES; i++) lanes[i] = i < n ? p[i] : -(real)INFINITY;
  return vf_load(lanes);
}

static void log_softmax(void *row, int64_t n) {
  real *x = (real *)row;
  vf most = vf_set1(-(real)INFINITY), total = vf_set1(0), log2e = vf_set1((real)1.4426950408889634074);
  for (int64_t i = 0; i < n; i += VF_LANES) most = vf_max(load_before(x + i, n - i), most);
  vf shift = vf_set1(vf_hmax(most));
  for (int64_t i = 0; i < n; i += VF_LANES)
    total = vf_add(total, vf_exp2(vf_mul(vf_sub(load_before(x + i, n - i), shift), log2e)));
  vf log_sum = vf_set1((real)log((double)vf_hsum(total)));
  for (int64_t i = 0; i < n; i += VF_LANES)
    store_first(x + i, vf_sub(vf_sub(load_first(x + i, n - i), shift), log_sum), n - i);
}

static void tanh_gradient(void *gradient, const void *value, int64_t n) {
  real *x = (real *)gradient;
  const real *y = (const real *)value;
  for (int64_t i = 0; i < n; i += VF_LANES)
    store_first(x + i, vf_mul(load_first(x + i, n - i), tanh_slope(load_first(y + i, n - i))), n - i);
}

static void drop_seeded(void *y, const void *x, int64_t first, int64_t n, uint64_t threshold, uint64_t seed,
                        double factor) {
  real *to = (real *)y, keeps = (real)factor;
  const real *from = (const real *)x;
  for (int64_t i = 0; i < n; i++) {
    uint64_t h = seed + ((uint64_t)(first + i) + 1) * 0x9E3779B97F4A7C15u;
    h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9u;
    h = (h ^ (h >> 27)) * 0x94D049BB133111EBu;
    h ^= h >> 31;
    to[i] = h >> 11 < threshold ? 0 : from[i] * keeps;
  }
}
