/* A step of Adam; the formulas are in attention.h. */
ATTN_INLINE void adam_lanes(real *x, real *mean, real *square, vf g, const attn_adam_factors *f) {
  g = vf_mul(g, vf_set1((real)f->scale));
  vf b1 = vf_set1((real)f->beta1), b2 = vf_set1((real)f->beta2);
  vf m = vf_fma(b1, vf_load(mean), vf_mul(vf_set1((real)(1 - f->beta1)), g));
  vf v = vf_fma(b2, vf_load(square), vf_mul(vf_set1((real)(1 - f->beta2)), vf_mul(g, g)));
  vf_store(mean, m);
  vf_store(square, v);
  vf size = vf_fma(vf_sqrt(v), vf_set1((real)f->root), vf_set1((real)f->epsilon));
  vf change = vf_div(vf_mul(vf_set1((real)f->rate), m), size);
  vf_store(x, vf_sub(vf_mul(vf_load(x), vf_set1((real)f->keep)), change));
}

static void adam(void *x, void *mean, void *square, const void *gradient, int64_t n, const attn_adam_factors *f) {
  real *p = (real *)x, *m = (real *)mean, *v = (real *)square;
  const real *g = (const real *)gradient;
  int64_t i = 0;
  for (; i + VF_LANES <= n; i += VF_LANES) adam_lanes(p + i, m + i, v + i, g ? vf_load(g + i) : vf_set1(0), f);
  if (i == n) return;
  real tail[3][VF_LANES] = {{0}};
  size_t bytes = (size_t)(n - i) * sizeof(real);
  memcpy(tail[0], p + i, bytes), memcpy(tail[1], m + i, bytes), memcpy(tail[2], v + i, bytes);
  adam_lanes(tail[0], tail[1], tail[2], g ? load_first(g + i, n - i) : vf_set1(0), f);
  memcpy(p + i, tail[0], bytes), memcpy(m + i, tail[1], bytes), memcpy(v + i, tail[2], bytes);
}
