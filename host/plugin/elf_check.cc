#include "host/plugin/elf_check.h"

#include <elf.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

namespace kps {
namespace {

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
#else
#error "add the ELF machine number of this architecture"
#endif

std::string MachineName(Elf64_Half machine) {
  switch (machine) {
    case EM_X86_64: return "x86-64";
    case EM_AARCH64: return "AArch64";
    case EM_386: return "i386";
    case EM_ARM: return "32-bit ARM";
    case EM_RISCV: return "RISC-V";
    default: return "ELF machine " + std::to_string(machine);
  }
}

// Whether `count` entries of `size` bytes from `offset` lie inside of the file, without overflow.
bool Inside(std::uint64_t offset, std::uint64_t count, std::uint64_t size, std::uint64_t file_size) {
  return offset <= file_size && (size == 0 || count <= (file_size - offset) / size);
}

}  // namespace

Error CheckElf(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) {
    const int error = errno;
    return Error(error == ENOENT ? Code::kNotFound : Code::kPermissionDenied, path + ": " + std::strerror(error));
  }
  const auto bad = [&](const std::string& what) { return Error(Code::kInvalidArgument, path + " " + what); };
  const auto size = static_cast<std::uint64_t>(file.tellg());
  Elf64_Ehdr header{};
  file.seekg(0);
  if (!file.read(reinterpret_cast<char*>(&header), sizeof header) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return bad("is not an ELF file: build the plugin as a shared library, with kps_add_plugin()");
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != kMachine) {
    return bad("is built for " + MachineName(header.e_machine) + ", but this host runs on " + MachineName(kMachine) +
               ": rebuild the plugin for this machine");
  }
  if (header.e_type != ET_DYN) return bad("is an ELF file, but no shared library: build it with kps_add_plugin()");

  const auto cut = [&] { return bad("is cut short: it was perhaps still being written; build or copy it again"); };
  if (!Inside(header.e_shoff, header.e_shnum, header.e_shentsize, size)) return cut();
  if (header.e_phentsize != sizeof(Elf64_Phdr) || !Inside(header.e_phoff, header.e_phnum, sizeof(Elf64_Phdr), size)) {
    return cut();
  }
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  file.seekg(static_cast<std::streamoff>(header.e_phoff));
  file.read(reinterpret_cast<char*>(segments.data()),
            static_cast<std::streamsize>(segments.size() * sizeof(Elf64_Phdr)));
  if (!file) return cut();
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_LOAD && !Inside(segment.p_offset, segment.p_filesz, 1, size)) return cut();
  }
  return {};
}

}  // namespace kps
