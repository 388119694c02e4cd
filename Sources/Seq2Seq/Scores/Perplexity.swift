import Foundation

/// How many tokens a model wavers between on average:
///
///     perplexity = exp(−Σ log p(token) ÷ number of tokens)
///
/// - Parameters:
///   - negativeLogLikelihood: −Σ log p, base e, of all tokens together.
///   - tokenCount: how many tokens that were, above 0; with their `</s>`, without padding.
public func perplexity(negativeLogLikelihood: Double, tokenCount: Int) -> Double {
  require(tokenCount > 0, "perplexity: expected tokens, got \(tokenCount)")
  return exp(negativeLogLikelihood / Double(tokenCount))
}
