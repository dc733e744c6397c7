#include "host/plugin/elf_facts.h"

#include <elf.h>
#include <kps/plugin.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <ios>
#include <string_view>

#include "host/plugin/elf_file.h"
#include "host/plugin/sha256.h"
#include "host/plugin/text.h"

namespace kps {
namespace {

constexpr std::size_t kUniqueNamed = 3;
constexpr std::size_t kPieceBytes = 256 * 1024;

// The bytes of a file, which may say anything: whatever lies outside of it is empty.
class Image {
 public:
  explicit Image(std::string_view bytes) : bytes_(bytes) {}

  std::string_view Range(std::uint64_t offset, std::uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) return {};
    return bytes_.substr(offset, size);
  }

  // As many as there are in the range.
  template <typename Entry>
  std::vector<Entry> Table(std::uint64_t offset, std::uint64_t size) const {
    const std::string_view range = Range(offset, size);
    std::vector<Entry> entries(range.size() / sizeof(Entry));
    if (!entries.empty()) std::memcpy(entries.data(), range.data(), entries.size() * sizeof(Entry));
    return entries;
  }

 private:
  const std::string_view bytes_;
};

// The text at `offset` of a string table.
std::string TextAt(std::string_view table, std::uint64_t offset) {
  if (offset >= table.size()) return "";
  const std::string_view rest = table.substr(offset);
  return CopyText(ToAbi(rest.substr(0, rest.find('\0'))));
}

class Reader {
 public:
  Reader(const Image& image, const Elf64_Ehdr& header) : image_(image) {
    if (header.e_shentsize != sizeof(Elf64_Shdr)) return;
    sections_ = image.Table<Elf64_Shdr>(header.e_shoff, std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr));
    names_ = Content(header.e_shstrndx);
  }

  void Read(ElfFacts* facts) const {
    for (const Elf64_Shdr& section : sections_) {
      if (section.sh_type == SHT_DYNAMIC) ReadDynamic(section, facts);
      if (section.sh_type == SHT_DYNSYM) ReadSymbols(section, facts);
      const std::string name = TextAt(names_, section.sh_name);
      if (name == ".go.buildinfo" || name == ".gopclntab") facts->go_runtime = true;
    }
  }

 private:
  std::string_view Content(std::size_t index) const {
    if (index >= sections_.size()) return {};
    return image_.Range(sections_[index].sh_offset, sections_[index].sh_size);
  }

  void ReadDynamic(const Elf64_Shdr& section, ElfFacts* facts) const {
    const std::string_view names = Content(section.sh_link);
    for (const auto& entry : image_.Table<Elf64_Dyn>(section.sh_offset, section.sh_size)) {
      switch (entry.d_tag) {
        case DT_NULL: return;
        case DT_NEEDED: facts->needed.push_back(TextAt(names, entry.d_un.d_val)); break;
        case DT_RPATH:
        case DT_RUNPATH: facts->runpath = TextAt(names, entry.d_un.d_val); break;
        case DT_FLAGS: facts->static_tls |= (entry.d_un.d_val & DF_STATIC_TLS) != 0; break;
        case DT_FLAGS_1: facts->no_delete |= (entry.d_un.d_val & DF_1_NODELETE) != 0; break;
        default: break;
      }
    }
  }

  void ReadSymbols(const Elf64_Shdr& section, ElfFacts* facts) const {
    const std::string_view names = Content(section.sh_link);
    for (const auto& symbol : image_.Table<Elf64_Sym>(section.sh_offset, section.sh_size)) {
      const std::string name = TextAt(names, symbol.st_name);
      if (symbol.st_shndx == SHN_UNDEF) {
        facts->thread_exit_hooks |= name == "__cxa_thread_atexit" || name == "__cxa_thread_atexit_impl";
        continue;
      }
      if (ELF64_ST_BIND(symbol.st_info) == STB_GNU_UNIQUE) facts->unique_symbols.push_back(name);
      facts->exports_entry |= name == KPS_PLUGIN_SYMBOL;
    }
  }

  const Image& image_;
  std::vector<Elf64_Shdr> sections_;
  std::string_view names_;
};

bool ReadWhole(const std::string& path, std::string* bytes) {
  std::ifstream file(path, std::ios::binary);
  std::string piece(kPieceBytes, '\0');
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
    bytes->append(piece, 0, static_cast<std::size_t>(file.gcount()));
  }
  return file.is_open();
}

std::string HashOf(std::string_view bytes) {
  Sha256 hash;
  hash.Add(bytes.data(), bytes.size());
  return hash.Finish();
}

}  // namespace

ElfFacts ReadElfFacts(const std::string& path) {
  ElfFacts facts;
  std::string bytes;
  if (!ReadWhole(path, &bytes)) return facts;
  facts.sha256 = HashOf(bytes);
  const Image image(bytes);
  const auto header = image.Table<Elf64_Ehdr>(0, sizeof(Elf64_Ehdr));
  if (header.empty() || std::memcmp(header[0].e_ident, ELFMAG, SELFMAG) != 0) return facts;
  if (header[0].e_ident[EI_CLASS] != ELFCLASS64 || header[0].e_ident[EI_DATA] != ELFDATA2LSB) return facts;
  facts.machine = MachineName(header[0].e_machine);
  facts.build_id = BuildIdOf(path);
  Reader(image, header[0]).Read(&facts);
  return facts;
}

std::vector<std::string> WhyNotUnloadable(const ElfFacts& facts) {
  std::vector<std::string> reasons;
  if (!facts.unique_symbols.empty()) {
    std::string named;
    for (std::size_t i = 0; i < facts.unique_symbols.size() && i < kUniqueNamed; ++i) {
      named += (i == 0 ? "" : ", ") + facts.unique_symbols[i];
    }
    reasons.push_back(std::to_string(facts.unique_symbols.size()) + " UNIQUE symbols (" + named +
                      (facts.unique_symbols.size() > kUniqueNamed ? ", ..." : "") +
                      "): compile with -fno-gnu-unique, link with kps_plugin.map");
  }
  if (facts.no_delete) reasons.emplace_back("linked with -z nodelete");
  if (facts.go_runtime) reasons.emplace_back("has the Go runtime, whose threads never end");
  return reasons;
}

}  // namespace kps
