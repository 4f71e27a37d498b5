# Which folder may include what: see the arrows in docs/architecture.md.
function(forbid folder pattern why)
  file(GLOB_RECURSE files ${ROOT}/${folder}/*.hpp ${ROOT}/${folder}/*.cpp)
  foreach(file IN LISTS files)
    file(STRINGS ${file} hits REGEX "^#include [<\"](${pattern})")
    foreach(hit IN LISTS hits)
      message(SEND_ERROR "${file}: ${hit}: ${why}")
    endforeach()
  endforeach()
endfunction()

foreach(folder include core)
  forbid(${folder} "caf/|boost/|rocksdb/|spdlog/|openssl/|actors/|cluster/|http/|identity/|storage/|server/"
    "the vocabulary knows no other layer")
endforeach()
forbid(identity "caf/|boost/|rocksdb/|spdlog/|actors/|cluster/|http/|storage/|server/"
  "identity knows OpenSSL and the vocabulary")
forbid(storage "caf/|boost/|actors/|cluster/|http/|identity/|server/" "storage knows RocksDB and the vocabulary")
forbid(cluster "caf/|boost/|rocksdb/|spdlog/|actors/|http/|identity/|storage/|server/"
  "what nodes say to each other is plain logic over OpenSSL and the vocabulary")
forbid(actors "boost/|rocksdb/|storage/|http/|identity/|server/" "actors know CAF, ports and the vocabulary")
forbid(http "rocksdb/|storage/|server/" "HTTP knows Beast and the actors")
