// Work in a process of its own: its CPU time is its own, and nothing that one run leaves behind weighs on the next.
#pragma once

#include <sys/mman.h>
#include <sys/types.h>

#include <functional>
#include <new>
#include <stdexcept>
#include <string>

namespace kps::bench {

// A T that processes see in common: those that are forked while it exists.
template <typename T>
class Shared {
 public:
  Shared() {
    void* const memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("cannot share memory between processes");
    value_ = new (memory) T;
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() {
    value_->~T();
    ::munmap(value_, sizeof(T));
  }
  T* get() const { return value_; }
  T* operator->() const { return value_; }

 private:
  T* value_;
};

class Child {
 public:
  // Forks: the process that calls has one thread. `name` stands before its errors.
  Child(std::string name, const std::function<void()>& body);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();  // kills it if it was not waited for

  // Waits for its end. What is wrong, as "NAME: ..."; empty: nothing is.
  std::string Wait();

 private:
  struct Failure {
    char text[1024] = "";
  };
  const std::string name_;
  const Shared<Failure> failure_;
  pid_t pid_;
};

}  // namespace kps::bench
