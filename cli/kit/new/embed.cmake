# Writes the files of samples/plugins into a C++ source, so that `plugin new` needs nothing but itself:
#   cmake -DOUTPUT=FILE.cc -DROOT=samples/plugins -DFILES=a/b;c/d -P embed.cmake
set(source "#include \"cli/kit/new/templates.h\"\n\nnamespace kps::cli {\nnamespace {\n\nconstexpr TemplateFile kFiles[] = {\n")
foreach(file IN LISTS FILES)
  file(READ ${ROOT}/${file} content)
  if(content MATCHES "\\)kps\"")
    message(FATAL_ERROR "${file}: )kps\" ends the literal in which the file is embedded")
  endif()
  string(REGEX MATCH "^([^/]+)/(.*)$" unused "${file}")
  string(APPEND source "    {\"${CMAKE_MATCH_1}\", \"${CMAKE_MATCH_2}\", R\"kps(${content})kps\"},\n")
endforeach()
string(APPEND source "};\n\n}  // namespace\n\nstd::span<const TemplateFile> TemplateFiles() { return kFiles; }\n\n}  // namespace kps::cli\n")
file(WRITE ${OUTPUT} "${source}")
