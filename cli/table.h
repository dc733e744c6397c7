// Text for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kps::cli {

// Rows under a header, in columns that only ever get wider, so that rows printed later still line up.
class Table {
 public:
  // `row_width_max` in characters cuts a row; 0 does not.
  Table(std::vector<std::string> header, std::size_t row_width_max);

  // The lines to print for these rows, after the header where it was not printed yet.
  std::string Print(const std::vector<std::vector<std::string>>& rows);

 private:
  std::string Line(const std::vector<std::string>& row) const;

  const std::vector<std::string> header_;
  const std::size_t row_width_max_;
  std::vector<std::size_t> widths_;
  bool header_printed_ = false;
};

// What came from elsewhere, safe on a terminal: control characters become a space.
std::string Printable(std::string_view text);

}  // namespace kps::cli
