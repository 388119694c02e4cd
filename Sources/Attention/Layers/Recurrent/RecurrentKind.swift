/// Which gates a recurrent layer has.
enum RecurrentKind: Sendable {
  case lstm, gru

  /// K: i, f, g, o or r, z, n.
  var gates: Int { self == .lstm ? 4 : 3 }
  /// The layer's name in messages.
  var name: String { self == .lstm ? "LSTM" : "GRU" }
}
