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
