import AttentionPictures

/// What an example has to show.
struct Example {
  /// Such as `context [2, 10]`.
  var results: [String]
  /// Files by name, as text.
  var files: [String: String]
  /// For the terminal.
  var picture: String
}
