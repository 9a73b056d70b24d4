"""The plugin for programs in any language: Pulumi's provider protocol over the same core as the dynamic resource."""
