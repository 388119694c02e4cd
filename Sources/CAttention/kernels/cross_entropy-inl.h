/*
 * A row of logits against its target; the formulas are in attention.h.
 *
 * With m the largest logit and s = sum_j e^(z_j - m), -log p_j = log s - (z_j - m): nothing large cancels. A NaN logit
 * makes s and so all of the row NaN.
 */
static attn_row_loss cross_entropy(void *logits, const void *bias, int64_t n, int64_t target, double smoothing,
                                   double scale, bool gradient) {
  real *z = (real *)logits;
  const real *b = (const real *)bias;
  int64_t whole = n - n % VF_LANES, padded = whole < n ? whole + VF_LANES : n;
  for (int64_t j = n; j < padded; j++) z[j] = -(real)INFINITY;
  if (b) {
    for (int64_t j = 0; j < whole; j += VF_LANES) vf_store(z + j, vf_add(vf_load(z + j), vf_load(b + j)));
    for (int64_t j = whole; j < n; j++) z[j] += b[j];
  }
  vf most = vf_set1(-(real)INFINITY);
  for (int64_t j = 0; j < padded; j += VF_LANES) most = vf_max(vf_load(z + j), most);
  real m = vf_hmax(most), hit = z[target] - m;
  vf total = vf_set1(0), rest = vf_set1(0), shift = vf_set1(m), log2e = vf_set1((real)1.4426950408889634074);
  real rest_tail = 0;
  for (int64_t j = whole; j < n; j++) rest_tail += z[j] - m;
  for (int64_t j = 0; j < whole; j += VF_LANES) {
    vf x = vf_sub(vf_load(z + j), shift), e = vf_exp2(vf_mul(x, log2e));
    rest = vf_add(rest, x), total = vf_add(total, e);
    vf_store(z + j, e);
  }
  if (whole < padded) {
    vf e = vf_exp2(vf_mul(vf_sub(vf_load(z + whole), shift), log2e));
    total = vf_add(total, e);
    vf_store(z + whole, e);
  }
  double sum = (double)vf_hsum(total), log_sum = log(sum);
  attn_row_loss loss = {log_sum - (double)hit, log_sum - ((double)vf_hsum(rest) + (double)rest_tail) / (double)n};
  if (gradient) {
    vf factor = vf_set1((real)(scale / sum)), even = vf_set1((real)(scale * smoothing / (double)n));
    for (int64_t j = 0; j < padded; j += VF_LANES) vf_store(z + j, vf_sub(vf_mul(vf_load(z + j), factor), even));
    z[target] -= (real)(scale * (1 - smoothing));
  }
  return loss;
}
