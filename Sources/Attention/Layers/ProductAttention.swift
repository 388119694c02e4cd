/// What the layers whose score is a product share: attention over inputs of one head, with a pullback.
extension AlignmentInputs {
  /// Of queries [B, Tq, D] and keys [B, Tk, D] made of the inputs; the context in the caller's shape.
  func productAttention(
    queries: Tensor, keys: Tensor, scale: Double?, mask: AttentionMask
  ) -> Tensor {
    asQueries(
      scaledDotProductAttention(
        queries: queries.asOneHead, keys: keys.asOneHead, values: values.asOneHead, scale: scale, mask: mask))
  }

  func productWeights(queries: Tensor, keys: Tensor, scale: Double?, mask: AttentionMask) -> AttentionWeights {
    AttentionWeights(queries: queries.asOneHead, keys: keys.asOneHead, scale: scale, mask: mask)
  }

  /// The pullback gives the gradients of `queries` and `keys`, [B, T, D], and of the values.
  func productAttentionWithPullback(
    queries: Tensor, keys: Tensor, scale: Double?, mask: AttentionMask
  ) -> (value: Tensor, pullback: @Sendable (Tensor) -> (queries: Tensor, keys: Tensor, values: Tensor)) {
    let (context, pullback) = scaledDotProductAttentionWithPullback(
      queries: queries.asOneHead, keys: keys.asOneHead, values: values.asOneHead, scale: scale, mask: mask)
    return (
      asQueries(context),
      { outputGradient in
        let gradients = pullback(checked(outputGradient).asOneHead)
        return (gradients.queries.withoutHead, gradients.keys.withoutHead, gradients.values.withoutHead)
      }
    )
  }
}
