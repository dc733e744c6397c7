#include "host/plugin/elf_file.h"

#include <elf.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <vector>

#include "host/plugin/hex.h"

namespace kps {
namespace {

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
#else
#error "add the ELF machine number of this architecture"
#endif

// Whether `count` entries of `size` bytes from `offset` lie inside of the file, without overflow.
bool Inside(std::uint64_t offset, std::uint64_t count, std::uint64_t size, std::uint64_t file_size) {
  return offset <= file_size && (size == 0 || count <= (file_size - offset) / size);
}

// `size` of `content` from `offset` of the file.
bool ReadAt(std::ifstream& file, std::uint64_t offset, void* content, std::size_t size) {
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(static_cast<char*>(content), static_cast<std::streamsize>(size));
  return static_cast<bool>(file);
}

bool ReadHeader(std::ifstream& file, Elf64_Ehdr* header) {
  return ReadAt(file, 0, header, sizeof *header) && std::memcmp(header->e_ident, ELFMAG, SELFMAG) == 0;
}

// false: the file ends before them.
bool ReadSegments(std::ifstream& file, const Elf64_Ehdr& header, std::uint64_t file_size,
                  std::vector<Elf64_Phdr>* segments) {
  if (header.e_phentsize != sizeof(Elf64_Phdr)) return false;
  if (!Inside(header.e_phoff, header.e_phnum, sizeof(Elf64_Phdr), file_size)) return false;
  segments->resize(header.e_phnum);
  return ReadAt(file, header.e_phoff, segments->data(), segments->size() * sizeof(Elf64_Phdr));
}

constexpr std::uint64_t kNotesSizeMax = 64 * 1024;
constexpr std::uint64_t kInterpreterSizeMax = 4 * 1024;
constexpr std::size_t kBuildIdSizeMax = 64;  // SHA-1 has 20 bytes

std::uint64_t RoundedUp(std::uint64_t size, std::uint64_t to) { return (size + to - 1) / to * to; }

// The build id among the notes of one segment; empty: it is not there.
std::string BuildIdAmong(const std::vector<unsigned char>& notes, std::uint64_t alignment) {
  Elf64_Nhdr note{};
  for (std::uint64_t at = 0; Inside(at, 1, sizeof note, notes.size());) {
    std::memcpy(&note, notes.data() + at, sizeof note);
    const std::uint64_t name = at + sizeof note;
    const std::uint64_t content = name + RoundedUp(note.n_namesz, alignment);
    if (!Inside(content, note.n_descsz, 1, notes.size())) return "";
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof ELF_NOTE_GNU &&
        std::memcmp(notes.data() + name, ELF_NOTE_GNU, sizeof ELF_NOTE_GNU) == 0 && note.n_descsz <= kBuildIdSizeMax) {
      return ToHex(notes.data() + content, note.n_descsz);
    }
    at = content + RoundedUp(note.n_descsz, alignment);
  }
  return "";
}

// The segments of the file, and its size in `*file_size`; none: they cannot be read.
std::vector<Elf64_Phdr> SegmentsOf(std::ifstream& file, std::uint64_t* file_size) {
  Elf64_Ehdr header{};
  std::vector<Elf64_Phdr> segments;
  file.seekg(0, std::ios::end);
  if (!file) return {};
  *file_size = static_cast<std::uint64_t>(file.tellg());
  if (!ReadHeader(file, &header) || header.e_ident[EI_CLASS] != ELFCLASS64) return {};
  if (!ReadSegments(file, header, *file_size, &segments)) return {};
  return segments;
}

}  // namespace

std::string MachineName(std::uint16_t machine) {
  switch (machine) {
    case EM_X86_64: return "x86-64";
    case EM_AARCH64: return "AArch64";
    case EM_386: return "i386";
    case EM_ARM: return "32-bit ARM";
    case EM_RISCV: return "RISC-V";
    default: return "ELF machine " + std::to_string(machine);
  }
}

Error CheckElf(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) {
    const int error = errno;
    return Error(error == ENOENT ? Code::kNotFound : Code::kPermissionDenied, path + ": " + std::strerror(error));
  }
  const auto bad = [&](const std::string& what) { return Error(Code::kInvalidArgument, path + " " + what); };
  const auto size = static_cast<std::uint64_t>(file.tellg());
  Elf64_Ehdr header{};
  if (!ReadHeader(file, &header)) {
    return bad("is not an ELF file: build the plugin as a shared library, with kps_add_plugin()");
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != kMachine) {
    return bad("is built for " + MachineName(header.e_machine) + ", but this host runs on " + MachineName(kMachine) +
               ": rebuild the plugin for this machine");
  }
  if (header.e_type != ET_DYN) return bad("is an ELF file, but no shared library: build it with kps_add_plugin()");

  const auto cut = [&] { return bad("is cut short: it was perhaps still being written; build or copy it again"); };
  if (!Inside(header.e_shoff, header.e_shnum, header.e_shentsize, size)) return cut();
  std::vector<Elf64_Phdr> segments;
  if (!ReadSegments(file, header, size, &segments)) return cut();
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_LOAD && !Inside(segment.p_offset, segment.p_filesz, 1, size)) return cut();
  }
  return {};
}

std::string BuildIdOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::uint64_t size = 0;
  for (const Elf64_Phdr& segment : SegmentsOf(file, &size)) {
    if (segment.p_type != PT_NOTE || segment.p_filesz > kNotesSizeMax) continue;
    if (!Inside(segment.p_offset, segment.p_filesz, 1, size)) continue;
    std::vector<unsigned char> notes(segment.p_filesz);
    if (!ReadAt(file, segment.p_offset, notes.data(), notes.size())) return "";
    // Properties stand 8 bytes apart, in a segment of their own; everything else 4.
    std::string id = BuildIdAmong(notes, segment.p_align == 8 ? 8 : 4);
    if (!id.empty()) return id;
  }
  return "";
}

std::string InterpreterOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::uint64_t size = 0;
  for (const Elf64_Phdr& segment : SegmentsOf(file, &size)) {
    if (segment.p_type != PT_INTERP || segment.p_filesz > kInterpreterSizeMax) continue;
    std::string name(segment.p_filesz, '\0');
    return ReadAt(file, segment.p_offset, name.data(), name.size()) ? name.substr(0, name.find('\0')) : "";
  }
  return "";
}

}  // namespace kps
