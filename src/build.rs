//! Lists what is embedded in the program.
fn main() {}
