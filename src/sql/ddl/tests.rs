//! Forms, one statement after the other.

use super::*;
