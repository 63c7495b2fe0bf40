// SPDX-License-Identifier: BSL-1.0

/// A line that ends in column 80 exactly, as many lines of this tree do: see.
///
///     0   a row of a table, which may be as wide as it has to be, and so may be a line of code
///
/// 0   a row without indentation, told by the wide gap between its columns, is a table
/// A line of prose that is longer than what fits on a terminal of 80 columns wide.
int wide = 0;
