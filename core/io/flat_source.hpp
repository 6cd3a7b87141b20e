#pragma once
// What formats share that hold a flat list of tensors: groups are made of the parts of their names,
// attributes are texts.

#include <map>
#include <string>
#include <vector>

#include "core/io/tensor_file.hpp"

namespace lvsa {

/// A name as a path: '.' divides like '/', no empty parts. "model.layer0.q" is "model/layer0/q".
std::string tensor_path(std::string_view name);

class FlatSource : public TensorSource {
 public:
  std::vector<std::string> members(const std::string& group) const override;
  std::optional<TensorForm> form(const std::string& tensor) const override;
  std::optional<std::string> text_attribute(const std::string& object,
                                            const std::string& name) const override;
  /// A decimal integer, or several as "1,2" or "[1, 2]".
  std::optional<std::vector<std::int64_t>> integer_attribute(
      const std::string& object, const std::string& name) const override;

 protected:
  /// Called by the constructor of a format for each tensor. Throws Error(kIo) for two of one path.
  void add_tensor(std::string_view name, TensorForm form);
  void add_attribute(std::string_view object, std::string_view name, std::string text);
  /// The form as it is stored, before an attribute `dtype` turns integers into bits of another
  /// type; throws when there is none.
  const TensorForm& stored_form(const std::string& tensor) const;

 private:
  std::map<std::string, TensorForm> tensors_;      // by path
  std::map<std::string, std::string> attributes_;  // by path of the object, '@', name
};

}  // namespace lvsa
