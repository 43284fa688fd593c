// The plugins of this program: one line each. How to write one: plugins.md.
package import Pipeline

extension Registry {
    /// Every built-in plugin.
    package static var builtin: Registry {
        var registry = Registry()
        registry.addInput(KubernetesLogsInput.self)
        registry.addInput(FileInput.self)
        registry.addInput(JournalInput.self)
        registry.addParser(KlogParser.self)
        registry.addOutput(HTTPOutput.self)
        registry.addOutput(FileOutput.self)
        registry.addOutput(StdoutOutput.self)
        registry.addOutput(NullOutput.self)
        return registry
    }
}
