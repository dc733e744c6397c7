#include "cli/table.h"

#include <algorithm>

namespace kps::cli {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// In characters, not bytes.
std::size_t Width(std::string_view text) {
  return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), IsContinuation));
}

std::string Cut(const std::string& text, std::size_t width_max) {
  if (width_max == 0 || Width(text) <= width_max) return text;
  std::size_t end = 0;
  for (std::size_t characters = 0; end < text.size(); ++end) {
    if (!IsContinuation(text[end]) && ++characters == width_max) break;  // the last place is for the ellipsis
  }
  return text.substr(0, end) + "…";
}

}  // namespace

Table::Table(std::vector<std::string> header, std::size_t row_width_max)
    : header_(std::move(header)), row_width_max_(row_width_max) {
  for (const std::string& cell : header_) widths_.push_back(Width(cell));
}

std::string Table::Print(const std::vector<std::vector<std::string>>& rows) {
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], Width(row[i]));
  }
  std::string text;
  if (!header_printed_) text += Line(header_);
  header_printed_ = true;
  for (const auto& row : rows) text += Line(row);
  return text;
}

std::string Table::Line(const std::vector<std::string>& row) const {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    line += row[i];
    if (i + 1 < row.size()) line.append(widths_[i] - Width(row[i]) + 2, ' ');
  }
  return Cut(line, row_width_max_) + "\n";
}

std::string Printable(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return result;
}

}  // namespace kps::cli
